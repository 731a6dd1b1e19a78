import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { slices } from '../../signaling/protocol/exchange/frames.ts';
import { ChannelLink } from '../../web/session/links/channel-link.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { fakeChannels } from './fake-channel.ts';
import { arrived, bulk, endOf, introduce, short, termsOf, whole } from './link-scene.ts';

const sizes = tensorSizes(SETTINGS);
const KIB = 1024;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what a peer may make a link hold and do', () => {
  async function heard() {
    const [channel, other] = fakeChannels();
    const link = new ChannelLink(channel, sizes, termsOf('host'));
    const scene = { channel, end: endOf(link), types: arrived(link) };
    introduce(other, termsOf('device'));
    await Promise.all([link.opened, vi.advanceTimersByTimeAsync(20)]);
    return scene;
  }
  const begun = (number: number): ArrayBuffer => {
    const [slice] = slices(encodeMessage(bulk(64 * KIB)), number);
    return slice.buffer;
  };

  it('ends with a sentence where a message that was begun gets no further for 30 s', async () => {
    const { channel, end } = await heard();
    channel.fire('message', begun(5));
    for (let second = 0; second < 29; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      channel.fire('message', whole(encodeMessage(short)));
    }
    expect(end.why).toBeNull();
    await vi.advanceTimersByTimeAsync(2100);
    expect(end.why).toBe('The other side began a message and did not end it.');
    expect(channel.open).toBe(false);
  });

  it('ends where a message is announced that is longer than any of the session', async () => {
    const { channel, end } = await heard();
    const [slice] = slices(encodeMessage(bulk(1)), 5);
    new DataView(slice.buffer).setUint32(4, 256 * KIB * KIB, true);
    channel.fire('message', slice.buffer);
    expect(end.why).toMatch(/longer than any of this session/);
  });

  it.each<[string, number, () => Uint8Array<ArrayBuffer>]>([
    ['31 pings', 31, () => encodeMessage({ header: { type: 'ping', sentMs: 1 }, tensors: [] })],
    [
      '31 answers to pings that nobody sent',
      31,
      () => encodeMessage({ header: { type: 'pong', sentMs: 1 }, tensors: [] }),
    ],
    ['501 short messages', 501, () => encodeMessage(short)],
    ['2001 messages', 2001, () => encodeMessage(bulk(1))],
  ])('ends with the last of %s at once', async (_, count, message) => {
    const { channel, end } = await heard();
    for (let i = 1; i < count; i++) channel.fire('message', whole(message()));
    expect(end.why).toBeNull();
    channel.fire('message', whole(message()));
    expect(end.why).toMatch(/more messages than any device has to say/);
    expect(channel.open).toBe(false);
  });

  it('takes four pings, 200 short messages and 799 others a second for as long as they come', async () => {
    const { channel, end, types } = await heard();
    const [ping, other, tensor] = [
      encodeMessage({ header: { type: 'ping', sentMs: 1 }, tensors: [] }),
      encodeMessage(short),
      encodeMessage(bulk(1)),
    ];
    for (let tenth = 0; tenth < 100; tenth++) {
      await vi.advanceTimersByTimeAsync(100);
      if (tenth % 5 === 0) for (let i = 0; i < 2; i++) channel.fire('message', whole(ping));
      for (let i = 0; i < 18; i++) channel.fire('message', whole(other));
      for (let i = 0; i < 79; i++) channel.fire('message', whole(tensor));
    }
    expect([end.why, types.length]).toEqual([null, 100 * 97]);
  });

  it('is given up where the peer takes nothing of what is said in short', async () => {
    const { channel, end } = await heard();
    channel.stuck = true;
    channel.bufferedAmount = 4 * KIB * KIB;
    channel.fire('message', whole(encodeMessage({ header: { type: 'ping', sentMs: 1 }, tensors: [] })));
    expect(end.why).toBeNull();
    channel.fire('message', whole(encodeMessage({ header: { type: 'ping', sentMs: 1 }, tensors: [] })));
    expect(end.why).toMatch(/does not take/);
  });
});
