import { expect, it } from 'vitest';
import { heard, withTwoPeers } from '../relay/two-peers.ts';

const PATIENCE_MS = 20_000;
const MESSAGES = 400;

it('two peers over a network between them: its round trip, its losses, and a cut that heals', async () => {
  await withTwoPeers(1, async ({ network, ada, ben }) => {
    const echo = ({ data }: MessageEvent<ArrayBuffer>): void => ben.send(data);
    ben.addEventListener('message', echo);
    const shortestRoundTripMs = async (): Promise<number> => {
      const times: number[] = [];
      for (let i = 0; i < 5; i++) {
        const startMs = performance.now();
        const back = heard(ada, PATIENCE_MS);
        ada.send(Uint8Array.of(i));
        expect(await back).toEqual(Uint8Array.of(i));
        times.push(performance.now() - startMs);
      }
      return Math.min(...times);
    };
    const clearMs = await shortestRoundTripMs();
    network.set({ delayMs: 40 });
    const slowMs = await shortestRoundTripMs();
    expect(slowMs).toBeGreaterThan(79);
    expect(slowMs - clearMs).toBeLessThan(95);
    ben.removeEventListener('message', echo);

    network.set({ delayMs: 5, loss: 0.1 });
    const before = network.counts('ada', 'ben');
    const numbers: number[] = [];
    const all = new Promise<void>((resolve) => {
      const count = ({ data }: MessageEvent<ArrayBuffer>): void => {
        numbers.push(new Uint16Array(data)[0] ?? -1);
        if (numbers.length < MESSAGES) return;
        ben.removeEventListener('message', count);
        resolve();
      };
      ben.addEventListener('message', count);
    });
    for (let i = 0; i < MESSAGES; i++) ada.send(new Uint16Array(500).fill(i));
    await all;
    // WebRTC repeats what was lost.
    expect(numbers).toEqual(Array.from({ length: MESSAGES }, (_, i) => i));
    const { came, lost } = network.counts('ada', 'ben');
    // A datagram for each message; binomial, five standard deviations of the fewest.
    expect(came - before.came).toBeGreaterThanOrEqual(MESSAGES);
    expect((lost - before.lost) / (came - before.came)).toBeGreaterThan(0.1 - 0.075);
    expect((lost - before.lost) / (came - before.came)).toBeLessThan(0.1 + 0.075);

    network.clear();
    network.set({ cut: true }, 'ada', 'ben');
    const nothing = heard(ben, 1000);
    ada.send(Uint8Array.of(7));
    expect(await nothing).toBeNull();
    expect(network.counts('ada', 'ben').cut).toBeGreaterThan(0);
    const late = heard(ben, PATIENCE_MS);
    network.set({ cut: false }, 'ben', 'ada');
    expect(await late).toEqual(Uint8Array.of(7));
    expect(ada.readyState).toBe('open');
  });
});
