import { describe, expect, it, vi } from 'vitest';
import { passHashOf, passOf } from '../../signaling/protocol/door/secret.ts';
import { MAX_REMOVED } from '../../signaling/protocol/door.ts';
import type { ClientMessage } from '../../signaling/protocol/messages.ts';
import { readInvitation } from '../../web/session/links/link-address.ts';
import { MAX_ADMITTED } from '../../web/session/own/host-key.ts';
import { firstDoor, OwnDoor } from '../../web/session/own/own-door.ts';
import { ViewStore } from '../../web/session/view/view-store.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(5);
const grammar = { task: { id: 'grammar', endpoint: '' } };
const own = { task: { id: 'own', endpoint: '' } };
const key = { id: 'hosthost', key: 'k'.repeat(32), room: 'abc234' };
const kept = { ...firstDoor(bytes, grammar, {}, null), door: 'locked' as const, cap: 9, removed: ['tabtabtab'] };

describe('a session’s door at first', () => {
  it.each([
    ['a public task', grammar, {}, null, 'link', 64],
    ['a table of one’s own', own, {}, null, 'ask', 64],
    ['what its host wants', own, { door: 'open', cap: 5 }, null, 'open', 5],
    ['a session of 0.1.0 that is gone on with', own, {}, { key }, 'link', 64],
    ['one that is gone on with without its key', own, {}, { key: null }, 'ask', 64],
    ['one that is gone on with', own, {}, { key: { ...key, door: kept } }, 'locked', 9],
  ] as const)('is that of %s', (_, request, options, resumed, door, cap) => {
    const first = firstDoor(bytes, request, options, resumed);
    expect(first).toMatchObject({ door, cap });
    expect(readInvitation(`#room=abc234&secret=${first.secret}`)).toEqual({
      ok: true,
      room: 'abc234',
      secret: first.secret,
    });
  });

  it('has the secret that it had, and keeps out whom it kept out; a new one has another secret', () => {
    const first = firstDoor(bytes, own, {}, { key: { ...key, door: kept } });
    expect(first).toEqual(kept);
    expect(firstDoor((n) => new Uint8Array(n).fill(6), own, {}, { key }).secret).not.toBe(kept.secret);
  });
});

describe('the host’s side of a door', () => {
  const scene = () => {
    const said: ClientMessage[] = [];
    const unlinked: string[] = [];
    const compared: string[] = [];
    const store = new ViewStore('host', 'hosthost');
    const context = {
      origin: 'https://example.org',
      store,
      send: (message: ClientMessage) => void said.push(message),
      onRemoved: (device: string) => void unlinked.push(device),
      onCompared: (device: string) => void compared.push(device),
    };
    const first = firstDoor(bytes, grammar, {}, null);
    return { said, unlinked, compared, store, door: new OwnDoor(context, first), secret: first.secret };
  };

  it('links only whom it knows: by the secret, or let in by hand, or while the code was enough; nobody who was removed', () => {
    const { door } = scene();
    door.set('link', 12);
    door.admit('byhandbyhand');
    const standing = () => ['byhandbyhand', 'withlinkonly'].map((device) => door.standing(device));
    expect(standing()).toEqual(['may come', 'must prove']);
    door.set('open', 12);
    expect(door.standing('whilewasopen')).toBe('may come');
    door.set('link', 12);
    expect([door.standing('whilewasopen'), ...standing()]).toEqual(['may come', 'may come', 'must prove']);
    door.remove('byhandbyhand');
    expect(standing()).toEqual(['removed', 'must prove']);
    // What the host kept still holds when it comes back.
    const again = firstDoor(bytes, grammar, {}, { key: { ...key, door: door.kept } });
    expect([again.admitted, again.removed]).toEqual([['whilewasopen'], ['byhandbyhand']]);
  });

  it('takes a device out whose screen shows other digits, and remembers one that shows the same', () => {
    const { said, unlinked, compared, store, door } = scene();
    door.confirmDigits('samesame', true);
    expect([compared, unlinked]).toEqual([['samesame'], []]);
    door.confirmDigits('otherother', false);
    expect([compared, unlinked]).toEqual([['samesame'], ['otherother']]);
    expect(said).toEqual([{ type: 'remove', device: 'otherother' }]);
    expect(store.view.notices.at(-1)?.sentence).toMatch(/showed other digits/);
    expect(door.standing('otherother')).toBe('removed');
  });

  it('says what its person decides, and what it has decided where the server forgot', async () => {
    const { said, unlinked, door, secret } = scene();
    await door.measure(Promise.resolve({ totalBytes: 9_123_456 }));
    door.set('ask', 12.4);
    door.admit('firstfirst');
    door.refuse('secondsecond');
    door.remove('thirdthird');
    expect(said).toEqual([
      { type: 'door', door: 'ask', cap: 12 },
      { type: 'admit', device: 'firstfirst' },
      { type: 'refuse', device: 'secondsecond' },
      { type: 'remove', device: 'thirdthird' },
    ]);
    expect(unlinked).toEqual(['thirdthird']);
    const removed = ['thirdthird'];
    const passHash = passHashOf(passOf(secret));
    expect(door.entry).toEqual({ passHash, door: 'ask', cap: 12, removed, downloadBytes: 9_123_456 });
    expect(door.kept).toEqual({ secret, door: 'ask', cap: 12, removed, admitted: ['firstfirst'] });
    // The secret itself is told to nobody.
    expect(JSON.stringify([said, door.entry])).not.toContain(secret);
  });

  it('has bounds: 2 to 64 devices, and the last of those who were removed', () => {
    const { said, door } = scene();
    for (const cap of [-1, 1, 65, 1e9]) door.set('link', cap);
    expect(said.map((message) => message.type === 'door' && message.cap)).toEqual([2, 2, 64, 64]);
    for (let i = 0; i < MAX_REMOVED + 2; i++) door.remove(`device${i}`);
    door.remove('device5');
    expect(door.kept.removed).toHaveLength(MAX_REMOVED);
    expect(door.kept.removed.at(0)).toBe('device2');
    expect(door.kept.removed.at(-1)).toBe('device5');
  });

  it('knows the last 128 whom it let in, the latest last, and only while they are not removed', () => {
    const { door } = scene();
    for (let i = 0; i < MAX_ADMITTED + 2; i++) door.admit(`device${i}`);
    door.admit('device5');
    const { admitted = [] } = door.kept;
    expect([MAX_ADMITTED, admitted.length, admitted[0], admitted.at(-1)]).toEqual([128, 128, 'device2', 'device5']);
    expect(admitted.filter((id) => id === 'device5')).toHaveLength(1);
    expect([door.standing('device1'), door.standing('device2')]).toEqual(['must prove', 'may come']);
    door.remove('device2');
    expect(door.kept.admitted).toHaveLength(127);
    // Who was removed stays so, also while the code is enough.
    door.set('open', 12);
    expect([door.standing('device2'), door.kept.admitted?.includes('device2')]).toEqual(['removed', false]);
  });

  it('waits two seconds at most to know how large its model is, and tells what it learns later', async () => {
    vi.useFakeTimers();
    const { door } = scene();
    let told: (preflight: { totalBytes: number }) => void = () => undefined;
    let settled = false;
    const measured = door.measure(new Promise((resolve) => (told = resolve))).then(() => (settled = true));
    await vi.advanceTimersByTimeAsync(1999);
    expect(settled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(settled).toBe(true);
    await measured;
    expect(door.entry).not.toHaveProperty('downloadBytes');
    told({ totalBytes: 7 });
    await vi.advanceTimersByTimeAsync(0);
    expect(door.entry.downloadBytes).toBe(7);
    vi.useRealTimers();
  });

  it('names the device that showed other digits, where it knows one', () => {
    const { store, door } = scene();
    door.confirmDigits('otherother', false);
    expect(store.view.notices.at(-1)?.sentence).toBe(
      'A device was removed: it showed other digits, so somebody may sit between the two of you.',
    );
  });

  it('invites with code and secret, anew when the code is another', async () => {
    const { store, door, secret } = scene();
    await door.measure(Promise.reject(new Error('no such model')));
    expect(door.entry).not.toHaveProperty('downloadBytes');
    door.invite('abc234');
    const before = store.view.invitation;
    expect(before).toEqual({ room: 'abc234', secret, link: `https://example.org/#room=abc234&secret=${secret}` });
    door.invite('abc234');
    expect(store.view.invitation).toBe(before);
    door.invite('def567');
    expect(store.view.invitation).toMatchObject({ room: 'def567', secret });
  });
});
