import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { encodeFrame, SLICE_HEADER_BYTES } from '../../signaling/protocol/exchange/frames.ts';
import { SLICE_PAYLOAD_BYTES } from '../../signaling/protocol/limits.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { ChannelLink } from '../../web/session/links/channel-link.ts';
import { answerProbes, measureLink } from '../../web/session/links/link-probe.ts';
import { localLinkPair } from '../../web/session/links/message-link.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { FakeChannel, fakeChannels } from './fake-channel.ts';
import { arrived, bulk, endOf, introduce, short, termsOf, whole } from './link-scene.ts';

/** Links over channels of a known rate, on a clock of the test's. */
const sizes = tensorSizes(SETTINGS);
const KIB = 1024;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function links(bitsPerSecond?: number, delayMs?: number) {
  const [left, right] = fakeChannels(bitsPerSecond, delayMs);
  const [a, b] = [new ChannelLink(left, sizes, termsOf('device')), new ChannelLink(right, sizes, termsOf('host'))];
  await Promise.all([a.opened, b.opened, vi.advanceTimersByTimeAsync(200)]);
  return { left, right, a, b };
}

/** A link whose other side says only what the test makes it say. */
async function oneSide() {
  const [channel, other] = fakeChannels();
  const link = new ChannelLink(channel, sizes, termsOf('host'));
  introduce(other, termsOf('device'));
  await Promise.all([link.opened, settle()]);
  return { channel, link, end: endOf(link) };
}

/** Whether, and how, a promise has settled. */
function watch(promise: Promise<unknown>): { state: string } {
  const seen = { state: 'pending' };
  promise.then(
    () => {
      seen.state = 'settled';
    },
    (error: Error) => {
      seen.state = error.message;
    },
  );
  return seen;
}

const settle = () => vi.advanceTimersByTimeAsync(20);

describe('a link that closes', () => {
  it('settles every send: the one that waits for room, those behind it, and those that come later', async () => {
    const { left, a } = await links();
    await settle();
    left.stuck = true;
    const sends = [1, 2, 3].map(() => watch(a.send(bulk(100 * KIB))));
    await settle();
    expect(sends.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending']);
    a.close();
    const later = watch(a.send(bulk(1)));
    await settle();
    expect([...sends, later].map(({ state }) => state)).toEqual(Array(4).fill('settled'));
  });

  it('settles a send that was only waiting for its share of the time, at once', async () => {
    const { a } = await links();
    // 1 MiB at 8 kbit/s would take a thousand seconds.
    const sent = watch(a.send(bulk(256 * KIB), { bitsPerSecond: 8000 }));
    await settle();
    expect(sent.state).toBe('pending');
    a.close();
    await settle();
    expect(sent.state).toBe('settled');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells so also to who asks afterwards', async () => {
    const { left, a } = await links();
    left.close();
    const end = endOf(a);
    await settle();
    expect(end.why).toBe('The connection was closed.');
    const [here, there] = localLinkPair();
    there.close();
    const local = endOf(here);
    await settle();
    expect(local.why).toBe('The tab closed its own link.');
  });

  it('carries nothing more inside a tab', async () => {
    const [here, there] = localLinkPair();
    const heard = arrived(there);
    await here.send(short);
    here.close();
    await here.send(short);
    await there.send(short);
    expect(heard).toEqual(['abandon']);
  });

  it('is told to be closed when its channel breaks before the first word', async () => {
    const channel = new FakeChannel(1e9, 1);
    channel.open = false;
    const end = endOf(new ChannelLink(channel, sizes, termsOf('host')));
    await settle();
    expect(end.why).toBe('The connection broke while sending.');
  });

  it('rejects a measurement at once, without a timer left behind', async () => {
    const { a } = await links();
    // Nobody answers probes at the other end.
    const measured = watch(measureLink(a));
    await settle();
    a.close();
    await settle();
    expect(measured.state).toBe('The connection was closed here.');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a link that is alive', () => {
  it('stays open for as long as the other side answers', async () => {
    const { a, b } = await links();
    const ends = [endOf(a), endOf(b)];
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ends.map(({ why }) => why)).toEqual([null, null]);
  });

  it('hears any message as a sign of life, not answers alone', async () => {
    const { channel, end } = await oneSide();
    for (let second = 0; second < 20; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      channel.fire('message', whole(encodeMessage(short)));
    }
    expect(end.why).toBeNull();
  });

  it('is given up after 7 s of silence, after 2.5 s in doubt', async () => {
    const [calm, doubted] = [await oneSide(), await oneSide()];
    const ends = [calm.end, doubted.end];
    doubted.link.doubt(true);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ends.map(({ why }) => why)).toEqual(Array(2).fill('The other side stopped answering.'));
    // Looked at once a second.
    expect(ends.map(({ atMs }) => Math.ceil(atMs / 1000))).toEqual([8, 3]);
  });

  it('is doubted no longer when the reason is gone', async () => {
    const { link, end } = await oneSide();
    link.doubt(true);
    link.doubt(false);
    await vi.advanceTimersByTimeAsync(6500);
    expect(end.why).toBeNull();
  });

  it('pings once a second', async () => {
    const { left } = await links();
    await settle();
    const before = left.sentBytes.length;
    await vi.advanceTimersByTimeAsync(10_000);
    // Ten pings of its own, ten answers.
    expect(left.sentBytes.length - before).toBe(20);
  });
});

describe('the two sides of a link', () => {
  it('say nothing to each other before they are known, and where one has closed it, nothing comes of it', async () => {
    const [channel] = fakeChannels();
    const link = new ChannelLink(channel, sizes, termsOf('host'));
    link.opened.catch(() => undefined);
    const greeted = channel.sentBytes.length;
    for (const message of [short, bulk(1)]) expect(() => link.send(message)).toThrow('before the other side is known');
    link.close();
    for (const message of [short, bulk(1)]) await link.send(message);
    expect(channel.sentBytes).toHaveLength(greeted);
  });

  it('are given up after ten seconds in which one does not say who it is', async () => {
    const [channel] = fakeChannels();
    const end = endOf(new ChannelLink(channel, sizes, termsOf('host')));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(end.why).toBeNull();
    await vi.advanceTimersByTimeAsync(1000);
    expect(end.why).toBe('The other side did not say who it is.');
  });

  it('prove themselves to each other, which nobody else hears', async () => {
    const { a, b } = await links();
    const heard = [arrived(a), arrived(b)];
    void a.send(short);
    await settle();
    expect(heard).toEqual([[], ['abandon']]);
  });

  it.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ['of the first release, which did not greet', encodeMessage(short), /older than this page/],
    [
      'of a later release',
      encodeFrame({ type: 'hello', protocol: PROTOCOL_VERSION + 1, more: 1 }, []),
      /newer.*Reload/,
    ],
  ])('part with a sentence when one is %s', async (_, first, why) => {
    const channel = new FakeChannel(1e9, 1);
    const link = new ChannelLink(channel, sizes, termsOf('host'));
    const [end, heard] = [endOf(link), arrived(link)];
    channel.fire('message', whole(first));
    await settle();
    expect(end.why).toMatch(why);
    expect([channel.open, heard]).toEqual([false, []]);
  });
});

describe('back-pressure', () => {
  it('holds back while 128 KiB are unsent and goes on at half', async () => {
    const { left, a } = await links();
    await settle();
    left.stuck = true;
    left.sentBytes.length = 0;
    const sent = watch(a.send(bulk(256 * KIB)));
    await settle();
    // Sent while no more than 128 KiB were waiting, so the ninth slice was the last.
    expect(left.sentBytes).toHaveLength(8);
    const waiting = left.bufferedAmount;
    expect(waiting).toBeGreaterThan(128 * KIB);
    left.drain(waiting - 65 * KIB);
    await settle();
    expect(left.sentBytes).toHaveLength(8);
    left.drain(2 * KIB);
    await settle();
    expect(left.sentBytes.length).toBeGreaterThan(8);
    expect(sent.state).toBe('pending');
    a.close();
  });

  it('sends a message whole, in slices of 16 KiB', async () => {
    const { left, a, b } = await links();
    await settle();
    left.sentBytes.length = 0;
    const heard = arrived(b);
    await Promise.all([a.send(bulk(16 * KIB)), settle()]);
    expect(heard).toEqual(['probe']);
    expect(left.sentBytes.slice(0, -1)).toEqual(Array(4).fill(SLICE_HEADER_BYTES + SLICE_PAYLOAD_BYTES));
  });

  it('lets short messages by while a bulk one waits', async () => {
    const { left, a, b } = await links(8e6);
    const heard = arrived(b);
    void a.send(bulk(256 * KIB));
    await settle();
    void a.send(short);
    await vi.advanceTimersByTimeAsync(300);
    expect(heard).toEqual(['abandon']);
    await vi.advanceTimersByTimeAsync(2000);
    expect(heard).toEqual(['abandon', 'probe']);
    expect(left.bufferedAmount).toBeLessThan(KIB);
  });

  it('paces a message to its rate in bits, less the burst that may run ahead', async () => {
    const { a } = await links();
    const startMs = performance.now();
    let endMs = 0;
    // 1 MiB less 64 KiB at 4 Mbit/s.
    void a.send(bulk(256 * KIB), { bitsPerSecond: 4e6 }).then(() => {
      endMs = performance.now();
    });
    await vi.advanceTimersByTimeAsync(5000);
    const expectedMs = ((KIB * KIB - 64 * KIB) * 8) / 4e3;
    expect(endMs - startMs).toBeGreaterThan(0.97 * expectedMs);
    expect(endMs - startMs).toBeLessThan(1.03 * expectedMs);
  });

  it('lets an upload end however small its share is', async () => {
    const { a } = await links();
    const sent = watch(a.send(bulk(32 * KIB), { bitsPerSecond: 1 }));
    // 9 slices, of which 3 may run ahead; 10 s for each of the others.
    await vi.advanceTimersByTimeAsync(59_000);
    expect(sent.state).toBe('pending');
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent.state).toBe('settled');
  });

  it('takes any number of messages, one after the other', async () => {
    const { a, b } = await links();
    const [end, heard] = [endOf(a), arrived(b)];
    for (let i = 0; i < 300; i++) await Promise.all([a.send(bulk(1)), vi.advanceTimersByTimeAsync(1)]);
    await settle();
    expect([end.why, heard.length]).toEqual([null, 300]);
  });

  it('ends a link whose queue only grows', async () => {
    const { left, a } = await links();
    await settle();
    left.stuck = true;
    left.bufferedAmount = 1e6;
    const end = endOf(a);
    for (let i = 0; i < 256; i++) void a.send(bulk(1));
    expect(end.why).toBeNull();
    void a.send(bulk(1));
    expect(end.why).toMatch(/does not take/);
  });
});

describe('the measured rate of a link', () => {
  it.each([1e6, 8e6, 64e6])('of %d bit/s is that within a fifth', async (bitsPerSecond) => {
    const { a, b } = await links(bitsPerSecond, 20);
    answerProbes(b);
    const measured = measureLink(a);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await measured).toBeGreaterThan(0.8 * bitsPerSecond);
    expect(await measured).toBeLessThan(1.2 * bitsPerSecond);
  });

  it('takes no more bytes than two spans of 150 ms, and what was under way', async () => {
    const { left, a, b } = await links(64e6);
    answerProbes(b);
    const measured = measureLink(a);
    await vi.advanceTimersByTimeAsync(30_000);
    await measured;
    const sentBytes = left.sentBytes.reduce((sum, bytes) => sum + bytes, 0);
    expect(sentBytes).toBeGreaterThan(0.3 * 8e6);
    expect(sentBytes).toBeLessThan(0.5 * 8e6);
  });

  it('hears the answer to its own question alone', async () => {
    const [here, there] = localLinkPair();
    there.onMessage(({ header, tensors }) => {
      if (header.type !== 'probe') return;
      const answer = (probe: number) => there.send({ header: { type: 'probed', probe }, tensors: [] });
      // Somebody answers what nobody asked, at once; the right answer to bulk takes a quarter of a second.
      for (const stranger of [0, header.probe + 1000]) void answer(stranger);
      setTimeout(() => void answer(header.probe), tensors.length === 0 ? 0 : 250);
    });
    const measured = watch(measureLink(here));
    await vi.advanceTimersByTimeAsync(240);
    expect(measured.state).toBe('pending');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(measured.state).toBe('settled');
  });

  it('is not waited for longer than 20 s', async () => {
    const { a } = await links();
    const measured = watch(measureLink(a));
    await vi.advanceTimersByTimeAsync(19_000);
    expect(measured.state).toBe('pending');
    await vi.advanceTimersByTimeAsync(2000);
    expect(measured.state).toMatch(/did not answer/);
  });
});
