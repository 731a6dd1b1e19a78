import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type DataMessage, encodeMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { ChannelLink } from '../../web/session/links/channel-link.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { fakeChannels } from './fake-channel.ts';
import { arrived, bulk, endOf, introduce, short, termsOf, whole } from './link-scene.ts';

/** What is urgent has a channel beside the one for all. */
const sizes = tensorSizes(SETTINGS);
const KIB = 1024;
const holds: DataMessage<'holds'> = { header: { type: 'holds', state: null }, tensors: [] };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(20);

async function links() {
  const [[left, right], [urgent, otherUrgent]] = [fakeChannels(), fakeChannels()];
  const a = new ChannelLink(left, sizes, termsOf('device'), [], urgent);
  const b = new ChannelLink(right, sizes, termsOf('host'), [], otherUrgent);
  await Promise.all([a.opened, b.opened, settle()]);
  return { left, urgent, a, b };
}

it('what is urgent goes past bulk that the channel has taken, and what is not stays behind it', async () => {
  const { left, urgent, a, b } = await links();
  const heard = arrived(b);
  left.stuck = true;
  void a.send(bulk(256 * KIB));
  await settle();
  expect(left.bufferedAmount).toBeGreaterThan(128 * KIB);
  const taken = left.sentBytes.length;
  void a.send(short);
  void a.send(holds);
  await settle();
  expect(heard).toEqual(['abandon']);
  expect(urgent.sentBytes).toHaveLength(1);
  expect(left.sentBytes).toHaveLength(taken + 1);
});

it('pings go there, so that bulk does not look like silence', async () => {
  const { left, urgent, a } = await links();
  const end = endOf(a);
  left.stuck = true;
  void a.send(bulk(256 * KIB));
  await vi.advanceTimersByTimeAsync(9000);
  expect(urgent.sentBytes.length).toBeGreaterThanOrEqual(9);
  expect(end.why).toBeNull();
});

it('everything goes over the one channel while the other is not open', async () => {
  const { left, urgent, a, b } = await links();
  const heard = arrived(b);
  Object.defineProperty(urgent, 'readyState', { value: 'connecting' });
  const before = left.sentBytes.length;
  void a.send(short);
  await settle();
  expect(heard).toEqual(['abandon']);
  expect(left.sentBytes).toHaveLength(before + 1);
});

it('a link ends with either channel, and closes both', async () => {
  const first = await links();
  const end = endOf(first.b);
  first.urgent.close();
  await settle();
  expect(end.why).toBe('The connection was closed.');
  expect(first.left.open).toBe(false);
  const second = await links();
  second.a.close();
  expect(second.urgent.open).toBe(false);
});

it('what comes there before the other side is known waits until it is; a ninth message ends the link', async () => {
  for (const [count, expected] of [
    [8, null],
    [9, 'The other side sends more messages than any device has to say.'],
  ] as const) {
    const [[channel, other], [urgent, otherUrgent]] = [fakeChannels(), fakeChannels()];
    const link = new ChannelLink(channel, sizes, termsOf('host'), [], urgent);
    const [heard, end] = [arrived(link), endOf(link)];
    // Under way before the proof is: that takes a round trip more.
    for (let i = 0; i < count; i++) otherUrgent.send(new Uint8Array(whole(encodeMessage(short))));
    introduce(other, termsOf('device'));
    const opened = link.opened.then(
      () => heard.length,
      () => null,
    );
    await settle();
    expect(end.why).toBe(expected);
    expect(await opened).toBe(expected === null ? 8 : null);
    if (expected !== null) continue;
    expect(heard).toEqual(Array(8).fill('abandon'));
  }
});

it('a message of more than a slice there ends the link', async () => {
  const { urgent, b } = await links();
  const end = endOf(b);
  const slice = new Uint8Array(whole(encodeMessage(short)));
  new DataView(slice.buffer).setUint32(4, 32 * KIB, true);
  urgent.send(slice);
  await settle();
  expect(end.why).toContain('longer than any');
});
