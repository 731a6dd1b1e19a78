import { describe, expect, it } from 'vitest';
import { lossOf } from '../../web/session/rounds/split/places.ts';
import {
  allOf,
  done,
  failed,
  gradient,
  lost,
  passed,
  spare,
  ToldSplit,
  tag,
  tick,
  twoPipelines,
} from './told-split-round.ts';

const B = [4, 3, 2] as const;
const C = ['head', 5] as const;

describe('a round of a split room that goes well', () => {
  it('gives every stage its run, that which trains nothing too', () => {
    expect(new ToldSplit().begun).toEqual(['send a 1.1 0-3', 'send b 2.1 3-6', 'send c 3.1 6-8', 'activity']);
  });

  it('ends with the last part, each block once over all samples, and the loss of the head’s stage', () => {
    const told = new ToldSplit();
    expect(told.takeAll(...allOf('c', tag(3), C, 5.5), ...allOf('b', tag(2), B, 99))).not.toContain('complete');
    expect(told.take(done('a', tag(1)))).toEqual(['complete']);
    expect(told.state.parts.map(({ block }) => block)).toEqual(['head', 5, 4, 3, 2]);
    expect(told.state.parts.every(({ samples }) => samples.start === 0 && samples.count === 8)).toBe(true);
    expect([...told.state.losses]).toEqual([[3, 5.5]]);
    // Over: nothing that comes still counts.
    expect(told.takeAll(...allOf('b', tag(2), B), lost(['a', 'b']))).toEqual([]);
  });

  it('counts nothing of another device, epoch, round or term, and nothing twice', () => {
    const told = new ToldSplit();
    told.takeAll(
      gradient('a', tag(2), 4),
      gradient('b', tag(2, 2), 4),
      gradient('b', { ...tag(2), round: 6 }, 4),
      gradient('b', { ...tag(2), term: 3 }, 4),
      gradient('b', tag(2), 5),
    );
    expect(told.state.parts).toEqual([]);
    told.takeAll(gradient('b', tag(2), 4), gradient('b', tag(2), 4));
    expect(told.state.parts.map(({ block }) => block)).toEqual([4]);
  });
});

describe('a stage that is lost', () => {
  it('is a spare’s, and its neighbours are told who it is now; they keep their own orders', () => {
    const told = new ToldSplit([spare('d')]);
    expect(told.take(lost(['b'], [spare('d')]))).toEqual([
      'abandon b 2.1',
      'b lost its link -> d',
      'send d 2.2 3-6',
      'rewire a above d 2',
      'rewire c below d 2',
    ]);
    expect(told.takeAll(...allOf('b', tag(2), B))).toEqual([]);
    expect(told.takeAll(...allOf('c', tag(3), C, 3), done('a', tag(1)))).not.toContain('complete');
    expect(told.takeAll(...allOf('d', tag(2, 2), B))).toContain('complete');
    expect(told.state.parts).toHaveLength(5);
    expect(told.state.round.reassigned).toBe(3);
  });

  it('has nothing counted of what it had given: one device answers for all of a stage', () => {
    const told = new ToldSplit();
    told.take(gradient('b', tag(2), 4, 0.25));
    told.take(lost(['b'], [spare('d')]));
    expect(told.state.parts).toEqual([]);
    told.takeAll(...allOf('d', tag(2, 2), B), ...allOf('c', tag(3), C), done('a', tag(1)));
    expect(told.state.parts.filter(({ block }) => block === 4).map(({ gradient: [value] }) => value)).toEqual([0.5]);
    expect(told.state.round.accepted.map(({ order }) => order.device)).not.toContain('b');
  });

  it('is its neighbour’s where nobody is free, beside what that has; then another’s, and no device has three', () => {
    const spares = ['a', 'b', 'c'].map((device) => spare(device, 1, [1, 2, 3]));
    const told = new ToldSplit(spares);
    expect(told.take(lost(['a'], spares.slice(1)))).toEqual([
      'abandon a 1.1',
      'a lost its link -> b',
      'send b 1.2 0-3',
      'rewire b below b 2',
    ]);
    // c has room, too, and is not beside the first stage.
    expect(told.take(lost(['b'], spares.slice(2)))).toEqual([
      'abandon b 1.2',
      'b lost its link -> c',
      'send c 1.3 0-3',
      'rewire b below c 3',
      'abandon c 1.3',
      'abandon b 2.1',
      'abandon c 3.1',
      'interrupted: b lost its link',
    ]);
  });

  it('is done again although all of it is here, while a neighbour may lack what it sent; its loss counts once', () => {
    const told = new ToldSplit();
    told.takeAll(...allOf('c', tag(3), C, 4));
    expect(told.take(lost(['c'], [spare('d')]))).toEqual([
      'abandon c 3.1',
      'c lost its link -> d',
      'send d 3.2 6-8',
      'rewire b above d 2',
    ]);
    told.takeAll(...allOf('b', tag(2), B), done('a', tag(1)));
    expect(told.takeAll(...allOf('d', tag(3, 2), C, 4))).toContain('complete');
    expect([...told.state.losses]).toEqual([[3, 4]]);
    expect(told.state.parts).toHaveLength(5);
  });

  it('is nobody’s where neither host nor neighbour needs it any more', () => {
    const told = new ToldSplit();
    told.takeAll(...allOf('c', tag(3), C), ...allOf('b', tag(2), B));
    expect(told.take(lost(['c'], [spare('d')]))).toEqual([]);
    expect(told.take(done('a', tag(1)))).toEqual(['complete']);
  });

  it('goes to the spare that is ready first, and to nobody who cannot hold it', () => {
    const told = new ToldSplit();
    const spares = [spare('x', 9), spare('y', 3), spare('z', 0, [1])];
    expect(told.take(lost(['b'], spares))).toContain('b lost its link -> y');
    // The spare is busy now.
    expect(told.take(lost(['a'], spares))).toContain('a lost its link -> z');
    expect(told.take(lost(['c'], spares))).toContain('c lost its link -> x');
  });

  it('ends the round where nobody can hold it: the others are told, and nothing counts', () => {
    const told = new ToldSplit();
    expect(told.take(lost(['b'], [spare('d', 0, [1, 3])]))).toEqual([
      'abandon a 1.1',
      'abandon b 2.1',
      'abandon c 3.1',
      'interrupted: b lost its link',
    ]);
    expect(told.takeAll(...allOf('c', tag(3), C))).toEqual([]);
  });
});

describe('two pipelines that share the samples', () => {
  const finish = [1, 2, 1.5, 1, 2, 1.5];
  const numbers = [1, 2, 3, 4, 5, 6];
  const begun = () => new ToldSplit([], finish, twoPipelines());

  it('each block comes from both, over the samples of each; losses add up in the order of samples, whoever reports first', () => {
    const told = begun();
    told.takeAll(...allOf('z', tag(6), C, 0.25), ...allOf('y', tag(5), B), done('x', tag(4)));
    told.takeAll(...allOf('b', tag(2), B), done('a', tag(1)));
    expect(told.takeAll(...allOf('c', tag(3), C, 4))).toContain('complete');
    expect(told.state.parts.filter(({ block }) => block === 5).map(({ samples }) => samples)).toEqual([
      { start: 5, count: 3 },
      { start: 0, count: 5 },
    ]);
    expect(lossOf(told.state.places, told.state.losses)).toBe(4.25);
    // Three numbers whose sum depends on their order.
    const places = [1, 2, 3].map((number, i) => ({
      ...told.state.places[0]!,
      number,
      samples: { start: i, count: 1 },
    }));
    const losses: [number, number][] = [
      [3, 1e-16],
      [1, 1],
      [2, 1e-16],
    ];
    for (const order of [losses, losses.toReversed()]) expect(lossOf(places, new Map(order))).toBe(1 + 1e-16 + 1e-16);
    expect(lossOf(places.toReversed(), new Map(losses))).toBe(1);
  });

  it('a stage of one is lost: only its own neighbours are told, and only they are waited for longer', () => {
    const told = begun();
    const before = told.state.untilMs;
    expect(told.take(lost(['b'], [spare('d', 7, numbers)], 1000))).toEqual([
      'abandon b 2.1',
      'b lost its link -> d',
      'send d 2.2 3-6',
      'rewire a above d 2',
      'rewire c below d 2',
    ]);
    for (const number of [4, 5, 6]) expect(told.state.untilMs.get(number)).toBe(before.get(number));
    for (const number of [1, 2, 3]) expect(told.state.untilMs.get(number)).toBeGreaterThan(before.get(number) ?? 0);
    // The other one's parts count as they come.
    told.takeAll(...allOf('z', tag(6), C), ...allOf('y', tag(5), B), done('x', tag(4)));
    expect(told.state.parts).toHaveLength(5);
    told.takeAll(...allOf('c', tag(3), C), done('a', tag(1)));
    expect(told.takeAll(...allOf('d', tag(2, 2), B))).toContain('complete');
  });
});

describe('a stage that is late', () => {
  const waiting = (told: ToldSplit) => {
    // a has sent two micro-batches up; b has done one of them and waits for nobody, c has sent its gradient down.
    told.takeAll(
      passed('a', tag(1), [
        [0, 'up'],
        [1, 'up'],
        [2, 'up'],
        [3, 'up'],
      ]),
      passed('b', tag(2), [
        [0, 'up'],
        [1, 'up'],
      ]),
      passed('c', tag(3), [
        [0, 'up'],
        [0, 'down'],
        [1, 'up'],
        [1, 'down'],
      ]),
      done('a', tag(1)),
    );
    return told;
  };

  it('is the one that itself waits for nobody', () => {
    const told = waiting(new ToldSplit([spare('d')]));
    expect(told.take(tick(15_000))).toEqual([]);
    expect(told.take(tick(15_001))).toContain('b is late -> d');
    expect([...told.state.late]).toEqual(['b']);
  });

  it('does its part again where there is nobody else, after another deadline', () => {
    const told = waiting(new ToldSplit());
    expect(told.take(tick(15_001))).toContain('b is late -> b');
    expect(told.take(tick(30_001))).toEqual([]);
    expect(told.take(tick(30_002))).toContain('b is late -> b');
  });

  it('has four times the time that the schedule foresees for it, and a spare the time to load besides', () => {
    const told = new ToldSplit([spare('d', 10)], [5, 6, 5.5]);
    expect(told.take(tick(20_000))).toEqual([]);
    // Of nobody it is known how far they are: the first is asked, which waits for nobody.
    expect(told.take(tick(20_001))).toContain('a is late -> d');
    expect(told.state.untilMs.get(1)).toBe(20_001 + 4 * (5 + 10) * 1000);
  });
});

describe('a stage that fails', () => {
  it('tries again a few times where nobody else can, and is given up then', () => {
    const told = new ToldSplit();
    for (const epoch of [1, 2, 3])
      expect(told.take(failed('b', tag(2, epoch)))).toEqual([
        'trouble b',
        `abandon b 2.${epoch}`,
        'b failed -> b',
        `send b 2.${epoch + 1} 3-6`,
        `rewire a above b ${epoch + 1}`,
        `rewire c below b ${epoch + 1}`,
      ]);
    expect(told.take(failed('b', tag(2, 4)))).toEqual(['trouble b', 'give up b']);
  });

  it('is a spare’s at once where there is one', () => {
    expect(new ToldSplit([spare('d')]).take(failed('c', tag(3)))).toContain('c failed -> d');
  });

  it('with a gradient that is not finite does it once more, elsewhere if anybody can; then it counts', () => {
    const told = new ToldSplit([spare('d')]);
    expect(told.take(gradient('b', tag(2), 4, Number.NaN))).toContain('b sent values that are not finite -> d');
    told.takeAll(gradient('d', tag(2, 2), 4, Number.NaN));
    expect(told.state.parts).toHaveLength(1);
  });
});
