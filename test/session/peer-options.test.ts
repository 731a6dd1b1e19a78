import { describe, expect, it } from 'vitest';
import { peerOptions, readIceServers } from '../../web/session/links/peer-options.ts';

describe('PeerJS', () => {
  it.each([
    ['http://127.0.0.1:8787', { host: '127.0.0.1', port: 8787, secure: false }],
    ['http://example.org', { host: 'example.org', port: 80, secure: false }],
    ['https://example.org', { host: 'example.org', port: 443, secure: true }],
    ['https://example.org:9443', { host: 'example.org', port: 9443, secure: true }],
  ])('goes to the server at %s and nowhere else', (origin, where) => {
    expect(peerOptions(origin, [])).toEqual({ ...where, path: '/peer', config: { iceServers: [] }, debug: 0 });
  });

  it('takes the ICE servers that it is given', () => {
    const servers = [{ urls: 'stun:127.0.0.1:3478' }];
    expect(peerOptions('http://a', servers).config).toEqual({ iceServers: servers });
  });
});

describe('ICE servers of a configuration', () => {
  it.each([
    [[]],
    [[{ urls: 'stun:host:3478' }]],
    [[{ urls: ['turn:host:3478', 'turns:host'], username: 'u', credential: 'p' }]],
  ])('%j are read as they are', (iceServers) => {
    expect(readIceServers({ iceServers, hubPath: null })).toEqual(iceServers);
  });

  it.each([
    [null],
    [{}],
    ['<!doctype html>'],
    [{ iceServers: 'stun:host' }],
    [{ iceServers: [{ urls: 'http://host' }] }],
    [{ iceServers: [{}] }],
    [{ iceServers: [{ urls: 'stun:host', username: 1 }] }],
    [{ iceServers: Array(17).fill({ urls: 'stun:host' }) }],
  ])('%j has none to go by', (config) => expect(readIceServers(config)).toBeNull());
});
