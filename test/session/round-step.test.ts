import { describe, expect, it } from 'vitest';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { AbleDevice, RoundEvent } from '../../web/session/rounds/round-step.ts';
import { profile } from '../protocol/samples.ts';
import {
  able,
  allOf,
  devices,
  done,
  failed,
  gradient,
  LATE,
  notFinite,
  ROUND,
  SAMPLES,
  TERM,
  Told,
  tag,
} from './told-round.ts';

const BOTH = { a: { layers: [4, 5], head: true }, b: { layers: [0, 1, 2, 3] } };

describe('the beginning of a round', () => {
  it('sends everybody the plan’s work and sets a deadline of 15 s', () => {
    expect(new Told(BOTH).begun).toEqual([
      'send a 1.1 [4,5,head] 0+8',
      'send b 2.1 [0,1,2,3] 0+8',
      'wait 15000',
      'activity',
    ]);
  });

  it('waits for four times the predicted seconds, where that is longer', () => {
    expect(new Told(BOTH, { latencySeconds: 30 }).begun).toContain('wait 120000');
    expect(new Told(BOTH, { latencySeconds: 3.7 }).begun).toContain('wait 15000');
  });

  it('gives the work of a device without a link to one that has one', () => {
    expect(new Told(BOTH, { linked: ['a'] }).begun).toEqual([
      'send a 1.1 [4,5,head] 0+8',
      'abandon b 2.1',
      'b lost its link -> a',
      'send a 2.2 [0,1,2,3] 0+8',
      'wait 15000',
      'activity',
    ]);
  });
});

describe('a round that goes well', () => {
  it('ends when the last part is in, with every pair of sample and block once', () => {
    const told = new Told(BOTH);
    expect(
      told.takeAll(...allOf('b', tag(2), [3, 2, 1, 0]), ...allOf('a', tag(1), ['head', 5]).slice(0, 2)),
    ).not.toContain('complete');
    expect(told.take(gradient('a', tag(1), 4))).toEqual(['activity']);
    expect(told.take(done('a', tag(1), 5.5))).toEqual(['complete']);
    expect(told.state.parts.map(({ block }) => block)).toEqual([3, 2, 1, 0, 'head', 5, 4]);
    expect(told.state.parts.every(({ samples }) => samples.start === 0 && samples.count === SAMPLES)).toBe(true);
    expect(told.lossSum).toBe(5.5);
  });

  it('adds up the losses of those that have the head, and of no others', () => {
    const told = new Told({
      a: { layers: [0, 1, 2, 3, 4, 5], head: true, start: 0, count: 3 },
      b: { layers: [0, 1, 2], start: 3, count: 5 },
      c: { layers: [3, 4, 5], head: true, start: 3, count: 5 },
    });
    told.takeAll(done('a', tag(1), 2), done('b', tag(2), 100), done('c', tag(3), 3));
    expect(told.lossSum).toBe(5);
  });

  it('times computing, and the upload that goes on after it, in bits', () => {
    const told = new Told({ a: { layers: [5], head: true } });
    told.takeAll(
      gradient('a', tag(1), 'head', 1000, 10),
      done('a', tag(1), 0, 1200),
      gradient('a', tag(1), 5, 1700, 20),
    );
    expect(told.state.timings).toMatchObject([
      { computeSeconds: 2, doneMs: 1200, lastPartMs: 1700, uploadBits: 30 * 32 },
    ]);
  });
});

describe('a gradient that is not finite', () => {
  it('is computed once more by another device, with all that follows it in the order', () => {
    const told = new Told(BOTH);
    told.take(gradient('a', tag(1), 'head'));
    expect(told.take(notFinite('a', tag(1), 5))).toEqual([
      'abandon a 1.1',
      'a sent values that are not finite -> b',
      'send b 1.2 [4,5,head] 0+8',
    ]);
    // Nothing of it counts, and the loss comes with the head again.
    expect(told.take(done('a', tag(1), 99))).toEqual([]);
    told.takeAll(...allOf('b', tag(1, 2), [5, 4], 3), ...allOf('b', tag(2), [3, 2, 1, 0]));
    expect(told.lossSum).toBe(3);
    expect(told.state.parts.every(({ gradient: values }) => values.every(Number.isFinite))).toBe(true);
    expect(told.state.parts.map(({ block }) => block)).toEqual(['head', 5, 4, 3, 2, 1, 0]);
  });

  it('counts when it is not finite there either: the round ends, and the host decides', () => {
    const told = new Told(BOTH);
    told.take(notFinite('a', tag(1), 'head'));
    const effects = told.takeAll(
      notFinite('b', tag(1, 2), 'head'),
      notFinite('b', tag(1, 2), 5),
      notFinite('b', tag(1, 2), 4),
      done('b', tag(1, 2), Number.NaN),
      ...allOf('b', tag(2), [3, 2, 1, 0]),
    );
    expect(effects.filter((effect) => effect.startsWith('send'))).toEqual([]);
    expect(effects.at(-1)).toBe('complete');
    expect(told.state.parts).toHaveLength(7);
  });

  it('is computed again by the same device where there is no other', () => {
    const told = new Told({ a: { layers: [5], head: true } });
    expect(told.take(notFinite('a', tag(1), 'head'))).toEqual([
      'abandon a 1.1',
      'a sent values that are not finite -> a',
      'send a 1.2 [5,head] 0+8',
    ]);
    expect(told.takeAll(...allOf('a', tag(1, 2), ['head', 5])).at(-1)).toBe('complete');
  });

  it('of an order that is another’s by now moves nothing', () => {
    const told = new Told(BOTH);
    told.take(devices(['b'], 'a'));
    expect(told.take(notFinite('a', tag(1), 5))).toEqual([]);
  });
});

describe('the timing of an order that was given out twice', () => {
  it('is kept for each device by itself', () => {
    const told = new Told({ a: { layers: [5], head: true } });
    told.takeAll(gradient('a', tag(1), 'head', 100, 10), devices(['b'], 'a'));
    told.takeAll(gradient('b', tag(1, 2), 5, 900, 20), done('b', tag(1, 2), 0, 800));
    expect(told.state.timings).toMatchObject([
      { order: { device: 'a' }, computeSeconds: null, lastPartMs: 100, uploadBits: 320 },
      { order: { device: 'b' }, computeSeconds: 2, doneMs: 800, lastPartMs: 900, uploadBits: 640 },
    ]);
  });
});

describe('what belongs to nobody', () => {
  const cases: [string, RoundEvent][] = [
    ['a block twice', gradient('a', tag(1), 5)],
    ['a block that was not asked for', gradient('a', tag(1), 0)],
    ['another device’s', gradient('b', tag(1), 4)],
    ['an order that does not exist', gradient('a', tag(3), 4)],
    ['an earlier round', gradient('a', { ...tag(1), round: ROUND - 1 }, 4)],
    ['a later round', gradient('a', { ...tag(1), round: ROUND + 1 }, 4)],
    ['an earlier host', gradient('a', { ...tag(1), term: TERM - 1 }, 4)],
    ['a later host', gradient('a', { ...tag(1), term: TERM + 1 }, 4)],
    ['an epoch that is not yet', gradient('a', tag(1, 2), 4)],
    ['an earlier host’s report', done('a', { ...tag(1), term: TERM - 1 }, 1e9)],
    ['an earlier host’s failure', failed('a', { ...tag(1), term: TERM - 1 })],
  ];
  it.each(cases)('is dropped: %s', (_, event) => {
    const told = new Told(BOTH);
    told.take(gradient('a', tag(1), 5));
    const before = told.state;
    expect(told.take(event)).toEqual([]);
    expect(told.state).toEqual(before);
  });

  it('is dropped: what an order’s first device sends after the order went on', () => {
    const told = new Told(BOTH);
    // b is back at once, but its order went to a; both have it under one number.
    told.takeAll(gradient('b', tag(2), 3), devices(['a'], 'b'), devices(['a', 'b']));
    expect(told.takeAll(gradient('b', tag(2), 2), gradient('a', tag(2), 2), done('b', tag(2)))).toEqual([]);
    expect(told.take(gradient('a', tag(2, 2), 2))).toEqual(['activity']);
    expect(told.state.parts.map(({ block }) => block)).toEqual([3, 2]);
  });

  it('is dropped: what the same device sends for the epoch before', () => {
    const told = new Told({ a: { layers: [5], head: true } });
    expect(told.take(devices(['a'], 'a'))).toEqual([
      'abandon a 1.1',
      'a lost its link -> a',
      'send a 1.2 [5,head] 0+8',
    ]);
    expect(told.takeAll(...allOf('a', tag(1, 1), ['head', 5]))).toEqual([]);
    expect(told.takeAll(...allOf('a', tag(1, 2), ['head', 5]))).toEqual(['activity', 'activity', 'complete']);
  });
});

describe('a device that leaves', () => {
  it('loses only what has not arrived', () => {
    const told = new Told(BOTH);
    told.takeAll(gradient('b', tag(2), 3), gradient('b', tag(2), 2));
    expect(told.take(devices(['a'], 'b'))).toEqual(['abandon b 2.1', 'b lost its link -> a', 'send a 2.2 [0,1] 0+8']);
    expect(told.state.round.reassigned).toBe(2);
    const rest = [...allOf('a', tag(2, 2), [1, 0]), ...allOf('a', tag(1), ['head', 5, 4])];
    expect(told.takeAll(...rest).at(-1)).toBe('complete');
    expect(told.state.parts).toHaveLength(7);
  });

  it('with nothing to give ends the round, if all that was missing is a report that nobody needs', () => {
    const told = new Told(BOTH);
    told.takeAll(...allOf('a', tag(1), ['head', 5, 4]), ...allOf('b', tag(2), [3, 2, 1, 0]).slice(0, 4));
    expect(told.take(devices(['a'], 'b'))).toEqual(['abandon b 2.1', 'complete']);
  });

  it('before it told the loss has the head done once more, and its gradient counted once', () => {
    const told = new Told({ a: { layers: [5], head: true }, b: { layers: [4] } });
    told.takeAll(gradient('a', tag(1), 'head'), gradient('a', tag(1), 5), ...allOf('b', tag(2), [4]));
    expect(told.take(devices(['b'], 'a'))).toContain('send b 1.2 [head] 0+8');
    expect(told.takeAll(gradient('b', tag(1, 2), 'head'), done('b', tag(1, 2), 4))).toEqual(['complete']);
    expect(told.state.parts.map(({ block }) => block)).toEqual(['head', 5, 4]);
    expect(told.lossSum).toBe(4);
  });

  it('has its order wait while there is nobody, and go to who comes', () => {
    const told = new Told({ a: { layers: [5], head: true } });
    expect(told.take(devices([], 'a'))).toEqual([]);
    expect(told.take(devices([]))).toEqual([]);
    expect(told.take(devices(['b']))).toEqual(['abandon a 1.1', 'a lost its link -> b', 'send b 1.2 [5,head] 0+8']);
  });

  it('names who had each order, also where two had the same samples', () => {
    const told = new Told({ a: { layers: [4, 5], head: true }, b: { layers: [2, 3] }, c: { layers: [0, 1] } });
    expect(told.take(devices(['a'], 'b', 'c')).filter((line) => line.includes('->'))).toEqual([
      'b lost its link -> a',
      'c lost its link -> a',
    ]);
  });

  it('does not take with it the work of others', () => {
    const told = new Told(BOTH);
    told.take(devices(['a'], 'b'));
    expect(told.state.round.owed.map(({ order }) => [order.number, order.epoch])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('and comes back has no second claim on an order that is done elsewhere', () => {
    const told = new Told(BOTH);
    told.takeAll(devices(['a'], 'b'), devices(['a', 'b']));
    expect(told.take(devices(['a', 'b']))).toEqual([]);
  });
});

describe('a device’s memory', () => {
  const small = (limitBytes: number, recompute?: Profile['memory']['recompute']): AbleDevice => {
    const { memory, ...rest } = profile();
    return { device: 'b', profile: { ...rest, memory: { ...memory, limitBytes, ...(recompute && { recompute }) } } };
  };
  // Weights of 1e7 bytes; a sample takes 1e5 and 1e5 a layer; the gradients 16384 a layer.
  const oneSample = 1e7 + 1e5 + 6e5 + 6 * 16_384;
  const deep = { a: { layers: [0, 1, 2, 3, 4, 5], head: true } };

  it('keeps it from work of which it cannot hold one sample', () => {
    const told = new Told(deep);
    expect(told.take({ type: 'devices', lost: ['a'], able: [small(oneSample - 1)] })).toEqual([]);
    expect(told.take({ type: 'devices', lost: [], able: [small(oneSample)] })).toContain('a lost its link -> b');
    expect(told.state.round.owed[0].order).toMatchObject({ microBatch: 1, recompute: false, share: 1 });
  });

  it('has it compute again on the way back, where it can hold no sample otherwise', () => {
    const told = new Told(deep);
    const again = { transientPerSample: 1e5, savedPerSamplePerLayer: 1e4 };
    told.take({ type: 'devices', lost: ['a'], able: [small(oneSample - 1, again)] });
    expect(told.state.round.owed[0].order).toMatchObject({ device: 'b', microBatch: 4, recompute: true });
  });
});

describe('a device that is late', () => {
  it('has its work given to one that is done, and the next deadline is twice as far', () => {
    const told = new Told(BOTH);
    told.takeAll(...allOf('a', tag(1), ['head', 5, 4]));
    expect(told.take(LATE)).toEqual(['abandon b 2.1', 'b is late -> a', 'send a 2.2 [0,1,2,3] 0+8', 'wait 30000']);
    expect(told.take(LATE).at(-1)).toBe('wait 60000');
    expect(told.take(LATE).at(-1)).toBe('wait 120000');
  });

  it('is relieved by one that owes nothing, however slow, before work goes to and fro between those that are late', () => {
    const told = new Told(BOTH);
    told.take({ type: 'devices', lost: [], able: [...able('a', 'b'), { device: 'c', profile: profile(100) }] });
    expect(told.take(LATE).filter((line) => line.includes('->'))).toEqual(['a is late -> c', 'b is late -> c']);
  });

  it('is asked again where nobody else can', () => {
    const told = new Told({ a: { layers: [5], head: true } });
    expect(told.take(LATE)).toEqual(['abandon a 1.1', 'a is late -> a', 'send a 1.2 [5,head] 0+8', 'wait 30000']);
  });

  it('is waited for where nobody at all can', () => {
    const told = new Told({ a: { layers: [5], head: true } });
    told.take(devices([]));
    expect(told.take(LATE)).toEqual(['wait 30000']);
    expect(told.state.round.owed).toHaveLength(1);
  });
});

describe('a device that fails', () => {
  it('has its work given to another, and people are told', () => {
    const told = new Told(BOTH);
    expect(told.take(failed('b', tag(2)))).toEqual([
      'trouble b',
      'abandon b 2.1',
      'b failed -> a',
      'send a 2.2 [0,1,2,3] 0+8',
    ]);
  });

  it('tries again three times where nobody else can, and then the round is given up', () => {
    const told = new Told({ a: { layers: [5], head: true } });
    for (const epoch of [1, 2, 3])
      expect(told.take(failed('a', tag(1, epoch)))).toEqual([
        'trouble a',
        `abandon a 1.${epoch}`,
        'a tries again -> a',
        `send a 1.${epoch + 1} [5,head] 0+8`,
      ]);
    expect(told.take(failed('a', tag(1, 4)))).toEqual(['trouble a', 'give up: a No.']);
  });

  it('does not pass its work to and fro for ever with another that fails as well', () => {
    const told = new Told({ a: { layers: [5], head: true }, b: { layers: [4] } });
    told.takeAll(...allOf('b', tag(2), [4]));
    let failures = 0;
    for (let last: string[] = []; !last.some((line) => line.startsWith('give up')); failures++) {
      expect(failures).toBeLessThan(20);
      const [{ order }] = told.state.round.owed;
      last = told.take(failed(order.device, tag(order.number, order.epoch)));
    }
    expect(failures).toBe(8);
  });

  it('keeps its failures for itself: another that fails once is not given up', () => {
    const told = new Told({ a: { layers: [5], head: true } });
    told.takeAll(failed('a', tag(1, 1)), failed('a', tag(1, 2)), failed('a', tag(1, 3)), devices(['b'], 'a'));
    expect(told.take(failed('b', tag(1, 5)))).toContain('b tries again -> b');
  });

  it('is passed over when another’s work fails, after it failed too often itself', () => {
    const told = new Told({ a: { layers: [5], head: true }, b: { layers: [4] } });
    told.takeAll(...allOf('b', tag(2), [4]), devices(['a']));
    told.takeAll(...[1, 2, 3].map((epoch) => failed('a', tag(1, epoch))), devices(['a', 'c']));
    expect(told.take(failed('a', tag(1, 4)))).toContain('a failed -> c');
    expect(told.take(failed('c', tag(1, 5)))).toContain('c tries again -> c');
  });
});
