import { describe, expect, it } from 'vitest';
import { toleranceFor } from '../../web/session/rounds/audits/tolerance.ts';
import { type AnswersToCheck, falseAnswers } from '../../web/session/training/check-answers.ts';

const LABELS = 2;
const truth = (example: number): readonly number[] => [Math.sin(example + 1), Math.cos(example)];
/** Two chunks of each of three devices. */
const ANSWERED = [0, 1, 2, 3, 4, 5].map((i) => ({
  device: ['host', 'anna', 'bert'][i % 3]!,
  start: 20 * i,
  count: 20,
}));
const EXAMPLES = 120;

interface Scene {
  /** What a device says of an example, in place of the truth. */
  readonly lies?: Readonly<Record<string, (values: readonly number[]) => readonly number[]>>;
  readonly host?: string | null;
  readonly able?: readonly string[];
  readonly silent?: readonly string[];
  readonly draw?: number;
  readonly answered?: typeof ANSWERED;
}

async function checked({
  lies = {},
  host = 'host',
  able = ['host', 'anna', 'bert'],
  silent = [],
  draw = 0.3,
  answered = ANSWERED,
}: Scene) {
  const asked: { device: string; start: number; count: number }[] = [];
  const said = (device: string, example: number) => (lies[device] ?? ((values) => values))(truth(example));
  const of = (device: string, start: number, count: number) =>
    Array.from({ length: count }, (_, i) => said(device, start + i)).flat();
  const input: AnswersToCheck = {
    logits: Float32Array.from(ANSWERED.flatMap(({ device, start, count }) => of(device, start, count))),
    ...{ labelCount: LABELS, answered, share: 0.08, host, tolerance: toleranceFor('f32', []) },
    able: () => able,
    draw: () => draw,
    ask: async (device, span) => {
      asked.push({ device, ...span });
      // Another engine rounds differently.
      return silent.includes(device)
        ? null
        : Float32Array.from(of(device, span.start, span.count).map((value) => value * (1 + 1e-5)));
    },
  };
  const found = await falseAnswers(input);
  return { found: found.map(({ device, by }) => [device, ...by]), asked };
}

const scaled = (values: readonly number[]) => values.map((value) => 1.05 * value);

describe('answers to the examples of a score', () => {
  it('that are true are found true by a few in a row of everybody but the host', async () => {
    const { found, asked } = await checked({});
    expect(found).toEqual([]);
    // Of 40 examples each, 8 % are four; the twelfth of anna's is in her first chunk.
    expect(asked).toEqual([
      { device: 'host', start: 32, count: 4 },
      { device: 'host', start: 52, count: 4 },
    ]);
    for (const draw of [0, 0.49, 0.51, 0.999]) {
      for (const { start, count } of (await checked({ draw })).asked) {
        expect(ANSWERED.some((one) => one.start <= start && start + count <= one.start + one.count)).toBe(true);
        expect(start + count).toBeLessThanOrEqual(EXAMPLES);
      }
    }
  });

  it.each<[string, (values: readonly number[]) => readonly number[]]>([
    ['longer by a twentieth', scaled],
    ['of the other sign', (values) => values.map((value) => -value)],
    ['nothing', () => [0, 0]],
    ['turned to another class', ([a = 0, b = 0]) => [b, a]],
  ])('that are %s are found false by the host’s own device', async (_, lie) => {
    expect((await checked({ lies: { bert: lie } })).found).toEqual([['bert', 'host']]);
  });

  it('are decided by a third where the host cannot compute them, also where who checks is the liar', async () => {
    const answering = { host: null, able: ['host', 'anna', 'bert'] };
    expect((await checked({ ...answering, lies: { anna: scaled } })).found).toEqual([['anna', 'host', 'bert']]);
    expect((await checked({ ...answering, draw: 0.9, lies: { bert: scaled } })).found).toEqual([
      ['bert', 'host', 'anna'],
    ]);
  });

  it('of which two say two things and nobody else is there are nobody’s lie', async () => {
    const answered = ANSWERED.filter(({ device }) => device !== 'host');
    const two = { host: null, able: ['anna', 'bert'], answered };
    expect((await checked({ ...two, lies: { anna: scaled } })).found).toEqual([]);
    expect((await checked({ silent: ['host'], lies: { anna: scaled } })).found).toEqual([]);
  });
});
