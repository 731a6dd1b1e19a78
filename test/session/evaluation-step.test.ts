import { describe, expect, it } from 'vitest';
import type { ChunkTag } from '../../signaling/protocol/round.ts';
import type { Evaluator } from '../../web/session/rounds/evaluation-pieces.ts';
import {
  type Allowance,
  beginEvaluation,
  type EvaluationEffect,
  type EvaluationEvent,
  type EvaluationState,
  stepEvaluation,
} from '../../web/session/rounds/evaluation-step.ts';

/** An evaluation as data. Examples have ten tokens and take half a second each: four make a chunk. */
const TERM = 3;
const EVALUATION = 5;
const TOKENS = 10;
const tag = (chunk: number): ChunkTag => ({ term: TERM, evaluation: EVALUATION, chunk });
const able = (device: string, secondsPerToken = 0.05): Evaluator => ({ device, overheadSeconds: 0, secondsPerToken });

function short(effect: EvaluationEffect): string {
  switch (effect.type) {
    case 'give':
      return `${effect.device} does ${effect.chunk.start}+${effect.chunk.count}`;
    case 'keep':
      return `keep ${effect.chunk.start}`;
    case 'progress':
      return `${effect.done} of ${effect.total}`;
    case 'give-up':
      return `give up: ${effect.device} ${effect.sentence}`;
    default:
      return effect.type;
  }
}

class Told {
  state: EvaluationState;
  readonly begun: string[];
  atMs = 0;

  constructor(examples: number, devices: readonly Evaluator[], beside = false) {
    const lengths = new Int32Array(examples).fill(TOKENS);
    const begun = beginEvaluation({ term: TERM, evaluation: EVALUATION, lengths, able: devices, beside, atMs: 0 });
    this.state = begun.state;
    this.begun = begun.effects.map(short);
  }

  take(event: EvaluationEvent): string[] {
    const { state, effects } = stepEvaluation(this.state, event);
    this.state = state;
    return effects.map(short);
  }

  /** Of what the device has, after so many seconds. */
  answer(device: string, seconds = 0, of?: ChunkTag, said: number | null = null): string[] {
    this.atMs += 1000 * seconds;
    const known = of ?? tag(this.state.turns.get(device)?.chunk.number ?? -1);
    return this.take({
      type: 'logits',
      device,
      tag: known,
      logits: new Float32Array(2),
      seconds: said,
      atMs: this.atMs,
    });
  }

  fail(device: string): string[] {
    const chunk = this.state.turns.get(device)?.chunk.number ?? -1;
    return this.take({ type: 'failed', device, tag: tag(chunk), sentence: 'No.', atMs: this.atMs });
  }

  devices(devices: readonly Evaluator[], ...lost: string[]): string[] {
    return this.take({ type: 'devices', able: devices, lost, atMs: this.atMs });
  }

  tick(seconds: number, ...devices: readonly Evaluator[]): string[] {
    this.atMs += 1000 * seconds;
    return this.take({ type: 'tick', able: devices, atMs: this.atMs });
  }

  allow(seconds: Readonly<Record<string, number>>): string[] {
    const allowances = new Map(
      Object.entries(seconds).map(([device, own]): [string, Allowance] => [device, { seconds: own, aheadSeconds: 1 }]),
    );
    return this.take({ type: 'allow', allowances, atMs: this.atMs });
  }
}

const [a, b] = [able('a'), able('b')];

describe('an evaluation', () => {
  it('gives whoever is done the next two seconds, from the longest example down, and shares the last ones out', () => {
    const told = new Told(18, [a, b]);
    expect(told.begun).toEqual(['0 of 18', 'a does 14+4', 'b does 10+4']);
    expect(told.answer('b', 2)).toEqual(['keep 10', '4 of 18', 'b does 6+4']);
    // Six are left for two devices: three each, a second and a half.
    expect(told.answer('a')).toEqual(['keep 14', '8 of 18', 'a does 3+3']);
    expect(told.answer('a', 1.5)).toEqual(['keep 3', '11 of 18', 'a does 2+1']);
    expect(told.answer('b', 0.5)).toEqual(['keep 6', '15 of 18', 'b does 1+1']);
    expect(told.answer('a')).toEqual(['keep 2', '16 of 18', 'a does 0+1']);
    expect(told.answer('b', 0.5)).toEqual(['keep 1', '17 of 18']);
    expect(told.answer('a')).toEqual(['keep 0', '18 of 18', 'complete']);
  });

  it('gives a device that is quicker more, and believes what it saw more than what was stated', () => {
    const told = new Told(100, [a, able('b', 0.0125)]);
    expect(told.begun).toEqual(['0 of 100', 'a does 96+4', 'b does 80+16']);
    // Four took four seconds where two were stated.
    expect(told.answer('a', 4)).toEqual(['keep 96', '4 of 100', 'a does 78+2']);
  });

  it('waits while there is nobody', () => {
    const told = new Told(4, []);
    expect(told.begun).toEqual(['0 of 4']);
    expect(told.tick(100)).toEqual([]);
    expect(told.devices([a])).toEqual(['a does 0+4']);
  });

  it('of no examples is complete at once', () => {
    expect(new Told(0, [a]).begun).toEqual(['0 of 0', 'complete']);
  });

  it('leaves a device out that would be done later than all others without it', () => {
    // 20 examples take the quick one ten seconds; the slow one takes 30 for one.
    const told = new Told(20, [a, able('slow', 3)]);
    expect(told.begun).toEqual(['0 of 20', 'a does 16+4']);
    expect(new Told(20, [able('slow', 3)]).begun).toEqual(['0 of 20', 'slow does 19+1']);
  });
});

describe('a chunk', () => {
  it('of a device that leaves goes first to the next that is free', () => {
    const told = new Told(12, [a, b]);
    expect(told.begun).toEqual(['0 of 12', 'a does 8+4', 'b does 4+4']);
    expect(told.devices([a], 'b')).toEqual([]);
    expect(told.answer('a', 2)).toEqual(['keep 8', '4 of 12', 'a does 4+4']);
  });

  it('nobody has of a device that had none and leaves', () => {
    const told = new Told(8, [a]);
    expect(told.devices([a], 'b')).toEqual([]);
    expect(told.answer('a', 2)).toEqual(['keep 4', '4 of 8', 'a does 0+4']);
  });

  it('that somebody else has answered is not asked for again when the other leaves', () => {
    const told = new Told(8, [a]);
    expect(told.answer('a', 2)).toEqual(['keep 4', '4 of 8', 'a does 0+4']);
    told.tick(11, a);
    expect(told.tick(1, a, b)).toEqual(['b does 0+4']);
    expect(told.answer('b', 1)).toEqual(['keep 0', '8 of 8', 'complete']);
    expect(told.devices([b], 'a')).not.toContain('b does 0+4');
  });

  it('of a device that comes back by another link is asked for again', () => {
    const told = new Told(4, [a]);
    const first = told.state.turns.get('a')?.turn;
    expect(told.devices([a], 'a')).toEqual(['a does 0+4']);
    expect(told.state.turns.get('a')?.turn).not.toBe(first);
  });

  it('that is late is given to somebody else when nothing else is left, once', () => {
    const told = new Told(8, [a, b]);
    expect(told.begun).toEqual(['0 of 8', 'a does 4+4', 'b does 2+2']);
    // Late from ten seconds on; there is other work until the twelfth.
    expect(told.answer('b', 1)).toEqual(['keep 2', '2 of 8', 'b does 1+1']);
    expect(told.tick(10, a, b)).toEqual([]);
    expect(told.answer('b', 1)).toEqual(['keep 1', '3 of 8', 'b does 0+1']);
    expect(told.answer('b', 1)).toEqual(['keep 0', '4 of 8', 'b does 4+4']);
    expect([...told.state.late]).toEqual(['a']);
    expect(told.tick(1, a, b, able('c'))).toEqual([]);
    expect(told.answer('b', 2)).toEqual(['keep 4', '8 of 8', 'complete']);
  });

  it('that two were asked for is kept and counted once, whoever answers first', () => {
    const told = new Told(8, [a]);
    expect(told.answer('a', 2)).toEqual(['keep 4', '4 of 8', 'a does 0+4']);
    told.tick(11, a);
    expect(told.tick(1, a, b)).toEqual(['b does 0+4']);
    expect(told.answer('a', 0.5)).toEqual(['keep 0', '8 of 8', 'complete']);
  });

  it('is not waited for twice when both who had it leave', () => {
    const told = new Told(4, [a]);
    told.tick(11, a);
    expect(told.tick(1, a, b)).toEqual(['b does 0+4']);
    expect(told.devices([b], 'a')).toEqual([]);
    expect(told.devices([able('c')], 'b')).toEqual(['c does 0+4']);
    expect(told.state.waiting).toEqual([]);
  });

  it.each<[string, ChunkTag]>([
    ['an earlier evaluation', { ...tag(0), evaluation: EVALUATION - 1 }],
    ['another host', { ...tag(0), term: TERM - 1 }],
    ['a chunk that is another’s', tag(1)],
  ])('of %s counts for nothing', (_, of) => {
    const told = new Told(8, [a, b]);
    const before = told.state;
    expect(told.answer('a', 0, of)).toEqual([]);
    expect(told.state).toEqual(before);
  });
});

describe('a device that fails', () => {
  it('leaves its chunk to another, and rests until the next tick', () => {
    const told = new Told(12, [a, b]);
    expect(told.fail('a')).toEqual([]);
    expect(told.answer('b', 2)).toEqual(['keep 4', '4 of 12', 'b does 8+4']);
    expect(told.devices([a, b])).toEqual([]);
    expect(told.tick(1, a, b)).toEqual(['a does 2+2']);
  });

  it('four times ends the evaluation where there is nobody else', () => {
    const told = new Told(4, [a]);
    for (let i = 0; i < 3; i++) {
      expect(told.fail('a')).toEqual([]);
      expect(told.tick(1, a)).toEqual(['a does 0+4']);
    }
    expect(told.fail('a')).toEqual(['give up: a No.']);
  });

  it('four times is not asked again while another works, and its end is told when that one leaves', () => {
    const told = new Told(8, [a, b]);
    for (let i = 0; i < 4; i++) {
      told.fail('a');
      told.tick(1, a, b);
    }
    expect(told.state.turns.has('a')).toBe(false);
    expect(told.devices([a], 'b')).toEqual(['give up: a No.']);
  });
});

describe('beside rounds', () => {
  it('a device evaluates what it is allowed to, and what it did not use adds up', () => {
    const told = new Told(20, [a, b], true);
    expect(told.begun).toEqual(['0 of 20']);
    // Half a second is an example.
    expect(told.allow({ a: 0.3, b: 1.2 })).toEqual(['b does 18+2']);
    expect(told.allow({ a: 0.3, b: 0.1 })).toEqual(['a does 17+1']);
    expect(told.answer('b')).toEqual(['keep 18', '2 of 20']);
    expect(told.allow({ a: 0.3, b: 0.3 })).toEqual(['b does 16+1']);
  });

  it('all that is left is shared out when no rounds go on any more', () => {
    const told = new Told(8, [a, b], true);
    expect(told.take({ type: 'hurry', atMs: 0 })).toEqual(['a does 4+4', 'b does 2+2']);
    // Rounds go on: nothing more without leave.
    told.allow({ a: 0, b: 0 });
    expect(told.answer('a', 2)).toEqual(['keep 4', '4 of 8']);
  });

  it('what a device says that a piece took is taken off, and later pieces are cut by it', () => {
    const told = new Told(40, [a], true);
    // Half a second an example, it states.
    expect(told.allow({ a: 1 })).toEqual(['a does 38+2']);
    // Twice that. Half of the answer's three seconds it was at an order.
    expect(told.answer('a', 3, undefined, 2)).toEqual(['keep 38', '2 of 40']);
    expect(told.state.paces.get('a')).toBe(2);
    expect(told.state.allowances?.get('a')?.seconds).toBe(-1);
    expect(told.allow({ a: 1.5 })).toEqual([]);
    expect(told.allow({ a: 0.5 })).toEqual(['a does 37+1']);
    // Nobody is believed to have been at it for longer than it had it.
    told.answer('a', 1, undefined, 50);
    expect(told.state.allowances?.get('a')?.seconds).toBe(0);
  });

  it('an order that is done before does not make a device late, nor slow', () => {
    const told = new Told(4, [a], true);
    told.take({
      type: 'allow',
      allowances: new Map([['a', { seconds: 2, aheadSeconds: 20 }]]),
      atMs: 0,
    });
    told.tick(60, a, b);
    expect(told.state.overdue).toEqual([]);
    told.answer('a');
    expect(told.state.paces.size).toBe(0);
  });
});

/** 872 examples on devices that take their time: `stated` and `real` seconds for 32 examples; how many orders, and how long. */
function whole(devices: readonly { readonly stated: number; readonly real: number }[]) {
  const evaluators = devices.map(({ stated }, i) => able(`d${i}`, stated / 32 / TOKENS));
  const told = new Told(872, evaluators);
  let orders = told.begun.length - 1;
  const doneMs = new Map<string, number>();
  const start = () => {
    for (const [device, { chunk, sinceMs }] of told.state.turns)
      if (!doneMs.has(device))
        doneMs.set(device, sinceMs + (1000 * chunk.count * devices[Number(device.slice(1))]!.real) / 32);
  };
  start();
  let nextTickMs = 1000;
  for (let events = 0; events < 100_000; events++) {
    const next = [...doneMs].reduce((first, one) => (one[1] < first[1] ? one : first));
    if (nextTickMs < next[1]) {
      told.atMs = nextTickMs;
      nextTickMs += 1000;
      orders += told.tick(0, ...evaluators).filter((text) => text.includes('does')).length;
    } else {
      told.atMs = next[1];
      doneMs.delete(next[0]);
      const effects = told.answer(next[0]);
      orders += effects.filter((text) => text.includes('does')).length;
      if (effects.includes('complete')) return { orders, seconds: told.atMs / 1000 };
    }
    start();
  }
  throw new Error('It never ends.');
}

describe('872 examples', () => {
  const least = (devices: readonly { readonly real: number }[]) =>
    872 / devices.reduce((rate, { real }) => rate + 32 / real, 0);

  it('on devices of 60 to 200 s for 32 are asked for once each, in the least time', () => {
    const devices = [60, 95, 130, 165, 200].map((seconds) => ({ stated: seconds, real: seconds }));
    const { orders, seconds } = whole(devices);
    // An example takes each more than a chunk's two seconds but the first, which does one at a time, too: 1.9 s.
    expect(orders).toBe(872);
    expect(seconds).toBeLessThan(1.02 * least(devices));
  });

  it('on devices that take ten times what they stated are asked for once each as well', () => {
    const devices = [60, 95, 130, 165, 200].map((seconds) => ({ stated: seconds / 10, real: seconds }));
    const { orders, seconds } = whole(devices);
    // Ten at a time first, one at a time when that is known.
    expect(orders).toBeLessThanOrEqual(872);
    expect(seconds).toBeLessThan(1.03 * least(devices));
  });

  it('on quick devices are few orders of about two seconds', () => {
    const devices = [2, 3].map((seconds) => ({ stated: seconds, real: seconds }));
    const { orders, seconds } = whole(devices);
    expect(orders).toBeGreaterThan(16);
    expect(orders).toBeLessThan(40);
    expect(seconds).toBeLessThan(1.03 * least(devices));
  });
});
