import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { type Answered, measureLink, rateOf, settledRate } from '../../web/session/links/link-probe.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { Emitter } from '../../web/session/world/emitter.ts';

const MEGABITS = 1e6;

/** Answers of so many bytes, so many milliseconds apart, from `atMs` on. */
const evenly = (count: number, bytes: number, everyMs: number, atMs = 0): Answered[] =>
  Array.from({ length: count }, (_, i) => ({ atMs: atMs + i * everyMs, bytes }));

describe('the rate that a path settles at', () => {
  it('is what came in two spans, and nothing before there are two', () => {
    // 10,000 bytes each 10 ms are 8 Mbit/s; spans are 150 ms.
    const answers = evenly(40, 10_000, 10);
    expect(settledRate(answers, 0)).toBeCloseTo(8 * MEGABITS, 0);
    expect(settledRate(answers.slice(0, 31), 0)).toBeCloseTo(8 * MEGABITS, 0);
    expect(settledRate(answers.slice(0, 30), 0)).toBeNull();
    expect(settledRate([], 0)).toBeNull();
    expect(settledRate(answers.slice(0, 1), 0)).toBeNull();
  });

  /** Spans of 150 ms, fifteen answers of so many bytes each. */
  const spans = (...bytes: number[]) => [
    { atMs: 0, bytes: 0 },
    ...bytes.flatMap((each, i) => evenly(15, each, 10, 10 + 150 * i)),
  ];

  it('is the lower of the two quickest, once they differ by a tenth at most', () => {
    expect(settledRate(spans(10_000, 11_200), 0)).toBeNull();
    expect(settledRate(spans(10_800, 10_000), 0)).toBeCloseTo(8 * MEGABITS, 0);
    expect(settledRate(spans(10_000, 10_200), 0)).toBeCloseTo(8 * MEGABITS, 0);
    // Getting up to speed: each span brings more.
    expect(settledRate(spans(1000, 2000, 4000, 8000), 0)).toBeNull();
    expect(settledRate(spans(1000, 2000, 4000, 8000, 8200), 0)).toBeCloseTo(6.4 * MEGABITS, 0);
    // As congestion control rises after a loss, by so much each round trip, until it is at the next.
    expect(settledRate(spans(4000, 4300, 4600, 4900), 0)).toBeNull();
    expect(settledRate(spans(4000, 4300, 4600, 4900, 4700), 0)).toBeCloseTo(3.76 * MEGABITS, 0);
  });

  it('leaves out spans in which the machine did something else, and one in which all came that had piled up', () => {
    expect(settledRate(spans(10_000, 4000), 0)).toBeNull();
    expect(settledRate(spans(10_000, 4000, 3000, 10_200), 0)).toBeCloseTo(8 * MEGABITS, 0);
    expect(settledRate(spans(10_000, 2000, 14_000), 0)).toBeNull();
    expect(settledRate(spans(10_000, 2000, 14_000, 10_400), 0)).toBeNull();
    expect(settledRate(spans(10_000, 2000, 13_000, 12_500), 0)).toBeCloseTo(10 * MEGABITS, 0);
  });

  it('takes spans of three round trips, and of four answers at least', () => {
    const answers = evenly(40, 10_000, 10);
    expect(settledRate(answers, 60)).toBeCloseTo(8 * MEGABITS, 0);
    expect(settledRate(answers, 70)).toBeNull();
    expect(settledRate(evenly(8, 10_000, 50), 0)).toBeNull();
    expect(settledRate(evenly(9, 10_000, 50), 0)).toBeCloseTo(1.6 * MEGABITS, 0);
  });

  it('is that of the later half where it does not settle', () => {
    expect(rateOf([...evenly(4, 1000, 10), ...evenly(4, 9000, 10, 40)])).toBeCloseTo(9000 * 800, 0);
    expect(rateOf(evenly(2, 1000, 10))).toBeCloseTo(1000 * 800, 0);
    // All at once: less than any number, and more than none.
    expect(rateOf(evenly(3, 1000, 0))).toBeLessThan(Infinity);
  });
});

interface Path {
  readonly roundTripMs: number;
  /** At this time after its first byte. */
  bytesPerMs(sinceMs: number): number;
}

/** A link over a path of a known rate, one message after the other, which answers as a host does. */
function linkOver({ roundTripMs, bytesPerMs }: Path) {
  const message = new Emitter<DataMessage>();
  const seen = { bytes: 0, messages: 0, listening: 0 };
  const [{ onClose, close, doubt, ask }] = localLinkPair();
  let firstMs: number | null = null;
  let freeMs = 0;
  const link: MessageLink = {
    onClose,
    close,
    doubt,
    ask,
    onMessage: (listener) => {
      const off = message.on(listener);
      seen.listening++;
      return () => {
        seen.listening--;
        off();
      };
    },
    send: async ({ header, tensors }) => {
      if (header.type !== 'probe') return;
      const bytes = tensors[0]?.byteLength ?? 0;
      const nowMs = performance.now();
      if (bytes > 0) firstMs ??= nowMs;
      freeMs = Math.max(freeMs, nowMs);
      // A millisecond after the other: the rate may change while it goes.
      for (let left = bytes; left > 0; ) {
        const rate = bytesPerMs(freeMs - (firstMs ?? freeMs));
        const ms = Math.min(1, left / rate);
        left -= rate * ms;
        freeMs += ms;
      }
      seen.bytes += bytes;
      seen.messages++;
      const { probe } = header;
      setTimeout(() => message.emit({ header: { type: 'probed', probe }, tensors: [] }), freeMs - nowMs + roundTripMs);
    },
  };
  return { link, seen };
}

describe('a device measures its link', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function measured(path: Path) {
    const { link, seen } = linkOver(path);
    const startMs = performance.now();
    const found = { bits: Number.NaN, elapsedMs: Number.NaN };
    const done = measureLink(link).then((bits) =>
      Object.assign(found, { bits, elapsedMs: performance.now() - startMs }),
    );
    await Promise.all([done, vi.advanceTimersByTimeAsync(60_000)]);
    expect(seen.listening).toBe(0);
    // The other side refuses a flood.
    expect(seen.messages).toBeLessThan(500);
    expect(seen.bytes).toBeLessThanOrEqual(8 * 2 ** 20 + 2 ** 18);
    return { ...found, ...seen };
  }

  it.each([
    [0.1, 50],
    [1, 20],
    [20, 0],
    [20, 100],
    [100, 20],
  ])('of %d Mbit/s at a round trip of %d ms to a tenth', async (megabits, roundTripMs) => {
    const { bits, elapsedMs } = await measured({ roundTripMs, bytesPerMs: () => (megabits * MEGABITS) / 8000 });
    expect(bits / (megabits * MEGABITS)).toBeGreaterThan(0.9);
    expect(bits / (megabits * MEGABITS)).toBeLessThan(1.1);
    expect(elapsedMs).toBeLessThan(8000);
  });

  it('which begins slowly, at what it comes to', async () => {
    // 12 KB a round trip of 40 ms at first, twice as much in each, up to 40 Mbit/s: what comes until then is a tenth of it on average.
    const { bits } = await measured({
      roundTripMs: 40,
      bytesPerMs: (sinceMs) => Math.min(5000, 300 * 2 ** Math.floor(sinceMs / 40)),
    });
    expect(bits / (40 * MEGABITS)).toBeGreaterThan(0.85);
    expect(bits / (40 * MEGABITS)).toBeLessThan(1.05);
  });

  it.each([
    [100, 300, 5],
    [0, 250, 20],
    [200, 260, Number.POSITIVE_INFINITY],
  ])(
    'on a machine that does something else from %d to %d ms, %d times slower, to a fifth of what it carries',
    async (from, to, times) => {
      for (const [megabits, roundTripMs] of [
        [40, 5],
        [20, 40],
        [100, 1],
      ] as const) {
        const rate = (megabits * MEGABITS) / 8000;
        const { bits } = await measured({
          roundTripMs,
          bytesPerMs: (sinceMs) => (sinceMs >= from && sinceMs < to ? Math.max(1, rate / times) : rate),
        });
        expect(bits / (megabits * MEGABITS)).toBeGreaterThan(0.8);
        expect(bits / (megabits * MEGABITS)).toBeLessThan(1.2);
      }
    },
  );

  it('which rises by a packet each round trip after a loss, at nearly what it comes to while that is waited for', async () => {
    // 4 Mbit/s, and one more each second: 9 after the five seconds that are spent on it.
    const { bits } = await measured({ roundTripMs: 100, bytesPerMs: (sinceMs) => 500 + 0.125 * sinceMs });
    expect(bits / (9 * MEGABITS)).toBeGreaterThan(0.8);
    expect(bits / (9 * MEGABITS)).toBeLessThan(1.05);
  });

  it('which is quicker than can be measured, with no more bytes than a person may be asked for', async () => {
    const { bits, elapsedMs } = await measured({ roundTripMs: 0, bytesPerMs: () => 1e9 });
    expect(bits).toBeGreaterThan(1e9);
    expect(bits).toBeLessThan(Infinity);
    expect(elapsedMs).toBeLessThan(1000);
  });

  it('and is told when the host does not answer', async () => {
    const [link] = localLinkPair();
    const told = expect(measureLink(link)).rejects.toThrow('did not answer');
    await vi.advanceTimersByTimeAsync(20_000);
    await told;
  });
});
