import { describe, expect, it } from 'vitest';
import { localLinkPair } from '../../web/session/links/message-link.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { PairBytes } from '../../web/session/rounds/split/pair-bytes.ts';
import { Traffic } from '../../web/session/stages/cuts/traffic.ts';

const tag = { term: 1, round: 1, order: 1, epoch: 1 };
const id = (n: number): string => `device${String(n).padStart(3, '0')}`;

/** What the host makes of reports of devices. */
class Host {
  readonly links = new DeviceLinks();
  readonly pairBytes: PairBytes;
  constructor(members: ReadonlySet<string>) {
    this.pairBytes = new PairBytes({ deviceLinks: this.links, members: () => members });
  }
  /** What a device that says `sent` in a report, once for each, is believed. */
  async hear(device: string, ...reports: readonly (readonly [to: string, bytes: number, relayedBytes: number][])[]) {
    const [hostEnd, deviceEnd] = localLinkPair();
    this.links.attach(device, hostEnd, false);
    for (const report of reports) {
      const sent = report.map(([to, bytes, relayedBytes]) => ({ to, bytes, relayedBytes }));
      await deviceEnd.send({ header: { type: 'done', tag, lossSum: 1, computeSeconds: 1, sent }, tensors: [] });
    }
  }
}

describe('bytes between stages', () => {
  it('add up over reports, each way by itself and relayed ones apart', async () => {
    const host = new Host(new Set([id(1), id(2), id(3)]));
    await host.hear(
      id(2),
      [[id(1), 10, 0]],
      [
        [id(1), 5, 2],
        [id(3), 1, 1],
      ],
    );
    await host.hear(id(1), [[id(2), 7, 0]], []);
    expect(host.pairBytes.pairs).toEqual([
      { from: id(1), to: id(2), bytes: 7, relayedBytes: 0 },
      { from: id(2), to: id(1), bytes: 15, relayedBytes: 2 },
      { from: id(2), to: id(3), bytes: 1, relayedBytes: 1 },
    ]);
  });

  it('are of pairs of the room alone, and of so many of them', async () => {
    const members = new Set(Array.from({ length: 40 }, (_, i) => id(i)));
    const host = new Host(members);
    await host.hear(id(0), [
      ['stranger', 9, 9],
      [id(0), 9, 9],
    ]);
    expect(host.pairBytes.pairs).toEqual([]);
    for (let from = 0; from < 40; from++)
      await host.hear(id(from), ...Array.from({ length: 40 }, (_, to): [string, number, number][] => [[id(to), 1, 0]]));
    expect(host.pairBytes.pairs).toHaveLength(256);
    // Those that are counted go on being counted.
    await host.hear(id(0), [[id(1), 1, 0]]);
    expect(host.pairBytes.pairs[0]).toEqual({ from: id(0), to: id(1), bytes: 2, relayedBytes: 0 });
  });

  it('are told by a stage once, and of no more than eight others at a time', () => {
    const traffic = new Traffic();
    traffic.sent(id(1), 8, false);
    traffic.sent(id(1), 4, true);
    traffic.received(id(2), 100, false);
    expect(traffic.newlySent()).toEqual([{ to: id(1), bytes: 8, relayedBytes: 4 }]);
    expect(traffic.newlySent()).toEqual([]);
    traffic.sent(id(1), 1, true);
    for (let n = 2; n <= 10; n++) traffic.sent(id(n), n, false);
    expect(traffic.newlySent().map(({ to, bytes, relayedBytes }) => [to, bytes, relayedBytes])).toEqual([
      [id(1), 0, 1],
      ...Array.from({ length: 7 }, (_, i) => [id(i + 2), i + 2, 0]),
    ]);
    expect(traffic.newlySent().map(({ to }) => to)).toEqual([id(9), id(10)]);
  });
});
