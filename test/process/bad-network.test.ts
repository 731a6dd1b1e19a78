import { expect, it } from 'vitest';
import { answerProbes, measureLink } from '../../web/session/links/link-probe.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { channels, heard, links, withTwoPeers } from '../relay/two-peers.ts';
import { bulk, short } from '../session/link-scene.ts';

const PATIENCE_MS = 20_000;
const MESSAGES = 400;

it('two peers over a network between them: its round trip, its losses, and a cut that heals', async () => {
  await withTwoPeers(1, async (peers) => {
    const { network } = peers;
    const [ada, ben] = await channels(peers);
    const echo = ({ data }: MessageEvent<ArrayBuffer>): void => ben.send(data);
    ben.addEventListener('message', echo);
    const shortestRoundTripMs = async (): Promise<number> => {
      const times: number[] = [];
      for (let i = 0; i < 20; i++) {
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
    // Timers of a busy machine are late; a delay that counted twice would add 160 ms.
    expect(slowMs - clearMs).toBeLessThan(140);
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

it('a link over a path of 8 Mbit/s: what is urgent overtakes bulk that was sent before, and the probe finds the rate', async () => {
  await withTwoPeers(1, async (peers) => {
    const [device, host] = await links(peers, tensorSizes(SETTINGS));
    peers.network.set({ delayMs: 10, bitsPerSecond: 8e6 });
    const types: string[] = [];
    const all = new Promise<void>((resolve) =>
      host.onMessage(({ header }) => {
        if (types.push(header.type) === 3) resolve();
      }),
    );
    // The channel has taken the last of 160 KiB; on the path they need 160 ms.
    void device.send(bulk(20 * 1024));
    await device.send(bulk(20 * 1024));
    void device.send(short);
    await all;
    expect(types.indexOf('abandon')).toBeLessThan(2);
    answerProbes(host);
    // A tenth of it is headers and answers.
    const bitsPerSecond = await measureLink(device);
    expect(bitsPerSecond).toBeGreaterThan(0.7 * 8e6);
    expect(bitsPerSecond).toBeLessThan(1.1 * 8e6);
    device.close();
  });
});
