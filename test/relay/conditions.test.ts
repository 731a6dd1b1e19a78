import { describe, expect, it } from 'vitest';
import { withStandIns } from './candidates.ts';
import { CLEAR, conditionsOf, Fates } from './conditions.ts';

const losses = (seed: number, name: string, loss: number, count = 20_000): number[] => {
  const fates = new Fates(seed, name);
  return Array.from({ length: count }, (_, i) => i).filter((i) => fates.next(1200, i, { ...CLEAR, loss }) === null);
};

describe('what becomes of datagrams', () => {
  it('loses as many as it was told, and the same ones with the same seed', () => {
    const found = losses(1, 'ada > ben', 0.01);
    // Binomial: 200, standard deviation 14.
    expect(found.length).toBeGreaterThan(200 - 5 * 14);
    expect(found.length).toBeLessThan(200 + 5 * 14);
    expect(losses(1, 'ada > ben', 0.01)).toEqual(found);
    expect(losses(2, 'ada > ben', 0.01)).not.toEqual(found);
    expect(losses(1, 'ben > ada', 0.01)).not.toEqual(found);
    // What is lost at a low rate is lost at a higher one, too.
    expect(losses(1, 'ada > ben', 0.05)).toEqual(expect.arrayContaining(found));
    // Two in a row by chance alone: a fifth of the times that a burst of losses would be.
    expect(found.filter((at, i) => at === (found[i + 1] ?? 0) - 1).length).toBeLessThan(12);
  });

  it('delays, keeps the order whatever the jitter, and spreads it evenly', () => {
    const fates = new Fates(3, 'x');
    expect(fates.next(1200, 100, { ...CLEAR, delayMs: 25 })).toBe(125);
    expect(fates.next(1200, 101, CLEAR)).toBe(125);
    expect(fates.next(1200, 140, CLEAR)).toBe(140);
    const arrivals = Array.from({ length: 2000 }, (_, i) =>
      Number(fates.next(1, 1000 + i * 100, { ...CLEAR, delayMs: 10, jitterMs: 40 })),
    ).map((at, i) => at - 1000 - i * 100 - 10);
    expect(Math.min(...arrivals)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...arrivals)).toBeLessThan(40);
    // Mean 20, standard error 11.5 / sqrt(2000) = 0.26.
    expect(arrivals.reduce((sum, late) => sum + late, 0) / 2000).toBeCloseTo(20, -0.3);
  });

  it('sends on at its rate, and loses what finds no room', () => {
    const fates = new Fates(1, 'slow');
    // 1,000 bytes at 80 kbit/s: 100 ms each.
    const slow = { ...CLEAR, bitsPerSecond: 80_000, queueBytes: 2500 };
    expect([0, 0, 0].map((now) => fates.next(1000, now, slow))).toEqual([100, 200, null]);
    // By then one of them is on its way, and 500 bytes of the other wait.
    expect(fates.next(1000, 150, slow)).toBe(300);
    expect(fates.next(1000, 1000, slow)).toBe(1100);
    expect(fates.next(1000, 1200, { ...slow, cut: true })).toBeNull();
    // The path was free meanwhile.
    expect(fates.next(1000, 1250, slow)).toBe(1350);
  });

  it('takes the last rule that speaks of a direction', () => {
    const rules = [
      { from: null, to: null, change: { delayMs: 10, loss: 0.5 } },
      { from: 'ada', to: null, change: { delayMs: 20 } },
      { from: 'ada', to: 'ben', change: { cut: true } },
    ];
    expect(conditionsOf(rules, 'ben', 'cleo')).toEqual({ ...CLEAR, delayMs: 10, loss: 0.5 });
    expect(conditionsOf(rules, 'ada', 'cleo')).toEqual({ ...CLEAR, delayMs: 20, loss: 0.5 });
    expect(conditionsOf(rules, 'ada', 'ben')).toEqual({ ...CLEAR, delayMs: 20, loss: 0.5, cut: true });
    expect(conditionsOf(rules, 'ben', 'ada').cut).toBe(false);
  });
});

describe('introductions', () => {
  const passed = (message: object) =>
    withStandIns(JSON.stringify(message), '192.0.2.9', async ({ address, port }) => ({
      address: `at-${address}`,
      port: port + 1,
    }));
  const candidate = (line: string) => ({
    type: 'CANDIDATE',
    payload: { connectionId: 'c', candidate: { candidate: line } },
  });
  const line = async (text: string): Promise<unknown> => {
    const said = await passed(candidate(text));
    return said === null ? null : JSON.parse(said).payload.candidate.candidate;
  };

  it('name another place for host candidates over UDP, and leave all others out', async () => {
    expect(await line('candidate:1 1 udp 2122 192.0.2.2 4000 typ host generation 0 ufrag x network-cost 999')).toBe(
      'candidate:1 1 udp 2122 at-192.0.2.2 4001 typ host generation 0 ufrag x network-cost 999',
    );
    expect(await line('candidate:1 1 UDP 2122 b3f2.local 4000 typ host')).toBe(
      'candidate:1 1 UDP 2122 at-192.0.2.9 4001 typ host',
    );
    expect(await line('candidate:1 1 tcp 1518 192.0.2.2 9 typ host tcptype active')).toBeNull();
    expect(await line('candidate:1 1 udp 2122 fe80::1 4000 typ host')).toBeNull();
    expect(await line('candidate:1 1 udp 1686 198.51.100.1 4000 typ srflx raddr 192.0.2.2 rport 4000')).toBeNull();
    expect(await line('')).toBe('');
  });

  it('keep all else of descriptions, fingerprints above all', async () => {
    const sdp = [
      'v=0',
      'a=fingerprint:sha-256 AB',
      'a=candidate:1 1 udp 1 192.0.2.2 7 typ host',
      'a=candidate:1 1 tcp 1 ::1 9 typ host',
      '',
    ];
    const offer = {
      type: 'OFFER',
      dst: 'ben',
      payload: { type: 'data', sdp: { type: 'offer', sdp: sdp.join('\r\n') } },
    };
    expect(JSON.parse((await passed(offer)) ?? '')).toEqual({
      ...offer,
      payload: {
        type: 'data',
        sdp: { type: 'offer', sdp: [sdp[0], sdp[1], 'a=candidate:1 1 udp 1 at-192.0.2.2 8 typ host', ''].join('\r\n') },
      },
    });
    expect(JSON.parse((await passed({ type: 'HEARTBEAT' })) ?? '')).toEqual({ type: 'HEARTBEAT' });
  });
});
