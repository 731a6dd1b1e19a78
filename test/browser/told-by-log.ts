import { keepDownloads, lastDownload } from './downloads.ts';
import type { Tab } from './harness.ts';
import { PATIENCE, press } from './pressing.ts';

/** A session's own log, as the page hands it out, and what follows from it: worked out here, not by the page's functions. */

interface Round {
  readonly round: number;
  readonly loss: number;
  readonly elapsedSeconds: number;
  readonly devices: readonly {
    readonly device: string;
    readonly samples: number;
    readonly deepestDepth: number;
    readonly computeSeconds: number;
    readonly uploadBits: number;
  }[];
}

interface Line {
  readonly type: string;
  readonly device?: string;
  readonly name?: string;
  readonly plan?: { readonly latencySeconds: number };
  readonly settings?: { readonly shape: { readonly layers: number }; readonly task: { readonly devExamples: number } };
  readonly report?: Round & { readonly value: number };
}

export interface Told {
  readonly lines: readonly Line[];
  readonly rounds: readonly Round[];
  /** The last score: 0 to 1. */
  readonly score: number | null;
  readonly latencySeconds: number | null;
  /** Of every device that ever came. */
  readonly names: ReadonlyMap<string, string>;
}

export function readLog(text: string): Told {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const of = (type: string) => lines.filter((line) => line.type === type);
  const rounds = new Map<number, Round>();
  // A round that was done again is told again.
  for (const { report } of of('round')) if (report !== undefined) rounds.set(report.round, report);
  return {
    lines,
    rounds: [...rounds.values()],
    score: of('score').at(-1)?.report?.value ?? null,
    latencySeconds: of('plan').at(-1)?.plan?.latencySeconds ?? null,
    names: new Map(of('joined').map(({ device = '', name = '' }) => [device, name])),
  };
}

/** The log as the host's page hands it out now. */
export async function takeLog(tab: Tab): Promise<Told> {
  await keepDownloads(tab);
  await tab.page.$eval('details[data-fold="exports"]', (fold) => fold.setAttribute('open', ''));
  await press(tab, 'Download: Run log');
  await tab.until('the log is made', () => globalThis.handedOver.length > 0, PATIENCE);
  return readLog((await lastDownload(tab)).toString('utf8'));
}

/** Samples and seconds of each device, and its part of all the work: a sample that goes through all layers, and back down to a depth. */
export function worked(rounds: readonly Round[], layers: number) {
  const sums = new Map<string, { samples: number; seconds: number; work: number }>();
  let work = 0;
  for (const { devices } of rounds)
    for (const one of devices) {
      const sum = sums.get(one.device) ?? { samples: 0, seconds: 0, work: 0 };
      const done = one.samples * (layers + one.deepestDepth);
      work += done;
      sums.set(one.device, {
        samples: sum.samples + one.samples,
        seconds: sum.seconds + one.computeSeconds,
        work: sum.work + done,
      });
    }
  return new Map([...sums].map(([device, sum]) => [device, { ...sum, share: sum.work / work }]));
}
