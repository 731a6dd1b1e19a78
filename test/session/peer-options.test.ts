import { describe, expect, it } from 'vitest';
import { peerOptions } from '../../web/session/links/peer-options.ts';

describe('PeerJS', () => {
  it.each([
    ['http://127.0.0.1:8787', { host: '127.0.0.1', port: 8787, secure: false }],
    ['http://example.org', { host: 'example.org', port: 80, secure: false }],
    ['https://example.org', { host: 'example.org', port: 443, secure: true }],
    ['https://example.org:9443', { host: 'example.org', port: 9443, secure: true }],
  ])('goes to the server at %s and nowhere else', (origin, where) => {
    const given = { id: 'a', token: 't', iceServers: [] };
    const expected = { ...where, path: '/peer', token: 't', config: { iceServers: [] }, debug: 0 };
    expect(peerOptions(origin, given)).toEqual(expected);
  });

  it('takes the ICE servers that it is given', () => {
    const servers = [{ urls: 'stun:127.0.0.1:3478' }];
    expect(peerOptions('http://a', { id: 'a', token: 't', iceServers: servers }).config).toEqual({
      iceServers: servers,
    });
  });
});

it('PeerJS names the room in its address, for proxies before several processes', () => {
  expect(peerOptions('http://a', { id: 'a', token: 't', iceServers: [], room: 'abc234' }).key).toBe('abc234');
});
