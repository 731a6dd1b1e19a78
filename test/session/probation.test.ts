import { describe, expect, it } from 'vitest';
import {
  believedSeconds,
  type ConductEffect,
  type ConductEvent,
  type ConductState,
  isOnProbation,
  NO_CONDUCT,
  type Present,
  probationOf,
  stepConduct,
  type Trial,
} from '../../web/session/rounds/probation.ts';
import { profile } from '../protocol/samples.ts';

const LAYERS = 6;
const PATIENCE_MS = 15_000;
const SECOND = 1000;

/** Conduct that is told one round after the other, a second each. */
class Told {
  state: ConductState = NO_CONDUCT;
  effects: ConductEffect[] = [];
  round = 0;
  atMs = 0;
  trained: readonly number[] = [0, 1, 2, 3, 4, 5];
  present: Present[] = ['host', 'good', 'idle'].map((device) => ({ device, profile: profile(), planned: true }));

  take(event: ConductEvent): readonly ConductEffect[] {
    const { state, effects } = stepConduct(this.state, event);
    this.state = state;
    this.effects.push(...effects);
    return effects;
  }

  begins(orders = 2, maxOrders = 64): readonly Trial[] {
    this.round++;
    this.atMs += SECOND;
    const { round, present, atMs, trained } = this;
    const began = {
      term: 1,
      course: 0,
      round,
      samples: 16,
      layers: LAYERS,
      trained,
      orders,
      maxOrders,
      patienceMs: PATIENCE_MS,
    };
    return this.take({ type: 'round', ...began, present, atMs }).flatMap((effect) =>
      effect.type === 'try' ? [effect.trial] : [],
    );
  }

  ends(
    lapsed: { late?: string[]; failed?: string[] },
    delivered: string[],
    of: 'round' | 'evaluation' = 'round',
  ): void {
    const { round, atMs } = this;
    const { late = [], failed = [] } = lapsed;
    this.take({ type: 'outcome', of, round, late, failed, delivered, atMs });
  }

  /** A round in which one device is late, and the rounds' trials of it. */
  late(device = 'idle', delivered = ['host', 'good']): readonly Trial[] {
    const trials = this.begins();
    this.ends({ late: [device] }, delivered);
    return trials;
  }

  well(delivered = ['host', 'good']): readonly Trial[] {
    const trials = this.begins();
    this.ends({}, delivered);
    return trials;
  }

  deliver(device: string, { tag, missing }: Trial, afterMs = SECOND): void {
    this.atMs += afterMs;
    for (const due of missing) {
      const computeSeconds = due === 'done' ? 0.5 : null;
      this.take({ type: 'part', device, tag, due, computeSeconds, layers: LAYERS, atMs: this.atMs });
    }
  }

  on(device = 'idle'): boolean {
    return isOnProbation(this.state, device);
  }
}

const onProbation = (): Told => {
  const told = new Told();
  told.late();
  told.late();
  return told;
};

describe('late', () => {
  it('once is forgiven, twice in a row is probation', () => {
    const told = new Told();
    told.late();
    expect(told.on()).toBe(false);
    told.late();
    expect(told.on()).toBe(true);
    expect(probationOf(told.state, 'idle')).toEqual({ why: 'late', since: 2, next: 3 });
    expect(told.effects).toEqual([
      { type: 'standing', device: 'idle', probation: { why: 'late', since: 2, next: 3 }, was: false, measured: null },
    ]);
  });

  it('with a round delivered between is not in a row; a round without work says nothing', () => {
    const told = new Told();
    told.late();
    told.well(['host', 'good', 'idle']);
    told.late();
    expect(told.on()).toBe(false);
    told.well(['host', 'good']);
    told.late();
    expect(told.on()).toBe(true);
  });

  it('is the prediction’s fault where nobody was in time', () => {
    const told = new Told();
    for (let round = 0; round < 5; round++) {
      told.begins();
      told.ends({ late: ['host', 'good', 'idle'] }, ['host', 'good', 'idle']);
    }
    expect(['host', 'good', 'idle'].filter((id) => told.on(id))).toEqual([]);
  });

  it('in evaluations counts apart: rounds that are delivered do not make up for it', () => {
    const told = new Told();
    for (let time = 0; time < 2; time++) {
      told.well(['host', 'good', 'idle']);
      told.ends({ late: ['idle'] }, ['host'], 'evaluation');
    }
    expect(told.on()).toBe(true);
  });
});

describe('failing', () => {
  it('twice in a row is probation, too, unless the device delivered in the end', () => {
    const told = new Told();
    for (let round = 0; round < 2; round++) {
      told.begins();
      told.ends({ failed: ['idle', 'good'] }, ['host', 'good']);
    }
    expect(probationOf(told.state, 'idle')?.why).toBe('failed');
    expect(told.on('good')).toBe(false);
  });
});

describe('a trial', () => {
  it('is two samples of the round through all layers, under a number that no order has', () => {
    const trials = onProbation().begins();
    expect(trials).toHaveLength(1);
    expect(trials[0]).toMatchObject({
      tag: { term: 1, round: 3, order: 3, epoch: 1 },
      work: { layers: [0, 1, 2, 3, 4, 5], head: true, samples: { start: 0, count: 2 }, microBatch: 2 },
      missing: ['head', 5, 4, 3, 2, 1, 0, 'done'],
      untilMs: 3 * SECOND + PATIENCE_MS,
    });
  });

  it('goes only as deep as the device can hold', () => {
    const told = onProbation();
    const { memory, ...rest } = profile();
    // Weights, one sample's transients, and 1.5 layers of one sample.
    const limitBytes = memory.weightsBytes + memory.transientPerSample + 1.5 * 116_384;
    told.present = told.present.map((one) => ({ ...one, profile: { ...rest, memory: { ...memory, limitBytes } } }));
    expect(told.begins()[0]?.work).toMatchObject({ layers: [5], microBatch: 1 });
  });

  it('asks for no gradient of a layer without adapters', () => {
    const told = onProbation();
    told.trained = [1, 4];
    expect(told.begins()[0]).toMatchObject({ work: { layers: [1, 4] }, missing: ['head', 4, 1, 'done'] });
    // Memory for two and a half layers: the lower one is out of reach.
    const shallow = onProbation();
    shallow.trained = [1, 4];
    const { memory, ...rest } = profile();
    const limitBytes = memory.weightsBytes + memory.transientPerSample + 2.5 * 116_384;
    shallow.present = shallow.present.map((one) => ({
      ...one,
      profile: { ...rest, memory: { ...memory, limitBytes } },
    }));
    expect(shallow.begins()[0]?.work).toMatchObject({ layers: [4], microBatch: 1 });
  });

  it('that is delivered in time brings the device back, with what it took', () => {
    const told = onProbation();
    const [trial] = told.begins();
    told.deliver('idle', trial!);
    expect(told.on()).toBe(false);
    expect(told.effects.at(-1)).toEqual({
      type: 'standing',
      device: 'idle',
      probation: null,
      was: true,
      measured: { samples: 2, deepestDepth: 6, computeSeconds: 0.5 },
    });
  });

  it.each([
    ['late', PATIENCE_MS + 1],
    ['in time', PATIENCE_MS],
  ])('%s: the limit is the round’s patience', (words, afterMs) => {
    const told = onProbation();
    told.deliver('idle', told.begins()[0]!, afterMs);
    expect(told.on()).toBe(words === 'late');
  });

  it('of somebody else, or of another round, counts for nothing', () => {
    const told = onProbation();
    const [trial] = told.begins();
    told.deliver('good', trial!);
    told.deliver('idle', { ...trial!, tag: { ...trial!.tag, round: 2 } });
    told.deliver('idle', { ...trial!, missing: trial!.missing.slice(1) });
    expect(told.on()).toBe(true);
  });

  it('that fails, or whose link goes down, does not bring it back', () => {
    const told = onProbation();
    const [trial] = told.begins();
    told.take({ type: 'failed', device: 'idle', tag: trial!.tag });
    told.begins();
    expect(probationOf(told.state, 'idle')).toMatchObject({ why: 'failed', since: 2 });
    const other = onProbation();
    const [lost] = other.begins();
    other.take({ type: 'gone', device: 'idle' });
    other.deliver('idle', lost!);
    expect(other.on()).toBe(true);
  });

  it('is given to four devices at once and no more, and never under a number that the protocol lacks', () => {
    const told = new Told();
    const many = Array.from({ length: 9 }, (_, i) => `idle${i}`);
    told.present = ['host', ...many].map((device) => ({ device, profile: profile(), planned: true }));
    for (let round = 0; round < 2; round++) {
      told.begins();
      told.ends({ late: many }, ['host']);
    }
    expect(told.begins(10)).toHaveLength(4);
    const full = onProbation();
    expect(full.begins(64)).toEqual([]);
  });

  it('is what tells the speed of a device that stands by and was never timed', () => {
    const told = new Told();
    told.present = told.present.map((one) => ({ ...one, planned: one.device !== 'idle' }));
    const [trial] = told.begins();
    expect(trial?.tag.order).toBe(3);
    told.deliver('idle', trial!);
    expect(told.effects.at(-1)).toMatchObject({ device: 'idle', probation: null, was: false });
    expect(told.begins()).toEqual([]);
  });

  it('is given to who answered for the dev set alone, not to who delivered a round', () => {
    const told = new Told();
    told.begins();
    told.ends({}, ['host', 'good'], 'round');
    told.ends({}, ['host', 'good', 'idle'], 'evaluation');
    told.present = told.present.map((one) => ({ ...one, planned: one.device === 'host' }));
    const tried = () => told.effects.flatMap((effect) => (effect.type === 'try' ? [effect.device] : []));
    told.begins();
    expect(tried()).toEqual(['idle']);
  });
});

describe('the pauses', () => {
  /** Rounds between trials of a device that never answers, of a second each. */
  const pauses = (count: number): number[] => {
    const told = onProbation();
    const given: number[] = [];
    for (let round = 0; round < 3000 && given.length <= count; round++)
      if (told.well().length > 0) given.push(told.round);
    return given.slice(1).map((round, i) => round - given[i]!);
  };

  it('double from trial to trial, each 15 rounds of waiting longer, up to five minutes', () => {
    // A trial is over at the first round after 15 s: 16 rounds.
    expect(pauses(8)).toEqual([16 + 2, 16 + 4, 16 + 8, 16 + 16, 16 + 32, 16 + 64, 16 + 128, 16 + 256]);
    expect(pauses(11).slice(8)).toEqual([16 + 300, 16 + 300, 16 + 300]);
  });

  it('go on doubling for who comes back and is late again, once', () => {
    const told = onProbation();
    told.deliver('idle', told.begins()[0]!);
    told.ends({}, ['host', 'good']);
    told.late();
    expect(probationOf(told.state, 'idle')).toEqual({ why: 'late', since: 4, next: 6 });
  });

  it('are forgotten after 20 rounds delivered in a row', () => {
    const told = onProbation();
    told.deliver('idle', told.begins()[0]!);
    for (let round = 0; round < 20; round++) told.well(['host', 'good', 'idle']);
    told.late();
    expect(told.on()).toBe(false);
    told.late();
    expect(probationOf(told.state, 'idle')).toMatchObject({ next: told.round + 1 });
  });
});

it('remembers 256 devices, those that are there before others', () => {
  const told = new Told();
  for (let i = 0; i < 400; i++) told.ends({}, [`device${i}`]);
  told.present = [{ device: 'device3', profile: profile(), planned: true }];
  told.begins();
  expect(told.state.size).toBe(256);
  expect(told.state.has('device3')).toBe(true);
  expect(told.state.has('device4')).toBe(false);
});

describe('stated seconds', () => {
  it('are believed unless the host waited more than twice as long, the way down twice over and a second', () => {
    expect(believedSeconds(2, 5, 0)).toBe(2);
    expect(believedSeconds(2, 5.1, 0)).toBe(5.1);
    expect(believedSeconds(2, 9, 2)).toBe(2);
    expect(believedSeconds(0, 9.5, 4)).toBe(5.5);
  });
});
