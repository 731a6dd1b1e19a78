import { parseArgs } from 'node:util';
import type { Conditions } from '../relay/conditions.ts';
import { type Measured, withEnds } from './links/measure.ts';
import type { Kind } from './links/page/page.ts';

/**
 * What a link carries between two Chromium tabs, and how soon a short message is answered while it does: a bare RTCDataChannel at several
 * settings, Tabloom's link, PeerJS's own `send`, over the network of test/relay. One after the other, each over a connection of its own.
 */
const { values } = parseArgs({
  options: {
    paths: { type: 'string', default: 'straight,0,20,100,20+1%' },
    contenders: { type: 'string', default: 'bare,tabloom,peerjs' },
    seconds: { type: 'string', default: '3' },
    /** Before they count: a first loss comes after slow start, and is what a path is like from then on. */
    warm: { type: 'string', default: '3' },
    turns: { type: 'string', default: '3' },
  },
});

const KIB = 1024;
/** Message and high water in KiB. */
const BARE: readonly (readonly [number, number])[] = [
  [16, 128],
  [16, 1024],
  [64, 1024],
  [256, 4096],
];

/** "20+1%": 20 ms there and back, and one datagram in a hundred lost. */
function conditionsOf(path: string): Partial<Conditions> | null {
  if (path === 'straight') return null;
  const [ms = '0', loss = '0'] = path.split('+');
  return { delayMs: Number(ms) / 2, loss: Number.parseFloat(loss) / 100, queueBytes: 4096 * KIB };
}

const kinds = values.contenders.split(',').flatMap((name): { name: string; kind: Kind }[] => {
  if (name === 'bare' || name === 'apart')
    return BARE.map(([message, water]) => ({
      name: `${name}, ${message} KiB, ${water} KiB`,
      kind: {
        type: 'bare',
        setting: {
          ...{ messageBytes: message * KIB, highWaterBytes: water * KIB },
          ...{ apart: name === 'apart', connections: 1 },
        },
      },
    }));
  if (name === 'several') {
    const setting = { messageBytes: 16 * KIB, highWaterBytes: 1024 * KIB, apart: false };
    return [2, 4].map((connections) => ({
      name: `${connections} connections, 16 KiB, 1024 KiB`,
      kind: { type: 'bare', setting: { ...setting, connections } },
    }));
  }
  if (name !== 'tabloom' && name !== 'peerjs') throw new Error(`There is no contender "${name}".`);
  return [{ name, kind: { type: name } }];
});

const middle = (measured: readonly Measured[]): Measured =>
  measured.toSorted((a, b) => a.bitsPerSecond - b.bitsPerSecond)[Math.floor(measured.length / 2)]!;
const megabits = (bits: number): string => (bits / 1e6).toFixed(1);

await withEnds({ warm: Number(values.warm), measured: Number(values.seconds) }, async (ends) => {
  console.log('| path | contender | Mbit/s | of the best bare | answered after ms, median | p90 | probe Mbit/s |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const path of values.paths.split(',')) {
    // In turns, so that whatever else the machine does meets all of them; the middle one counts.
    const turns: Measured[][] = kinds.map(() => []);
    for (let turn = 0; turn < Number(values.turns); turn++)
      for (const [i, { kind }] of kinds.entries()) turns[i]?.push(await ends.measure(kind, conditionsOf(path)));
    const rows = kinds.map(({ name }, i) => ({ name, measured: middle(turns[i] ?? []) }));
    const best = Math.max(
      ...rows.filter(({ name }) => name.startsWith('bare')).map((row) => row.measured.bitsPerSecond),
    );
    for (const { name, measured } of rows) {
      const { bitsPerSecond, pongMs, believedBits } = measured;
      const cells = [path, name, megabits(bitsPerSecond), (bitsPerSecond / best).toFixed(2)];
      const answered = pongMs.count === 0 ? ['none was'] : [pongMs.median.toFixed(1), pongMs.p90.toFixed(1)];
      cells.push(answered[0] ?? '', answered[1] ?? '', believedBits === null ? '' : megabits(believedBits));
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
});
process.exit(0);
