import { describe, expect, it } from 'vitest';
import { able, allOf, devices, LATE, Told, tag } from './told-round.ts';

const BOTH = { a: { layers: [4, 5], head: true }, b: { layers: [0, 1, 2, 3] } };

describe('a device on probation', () => {
  it('gets no work that others wait for: what the plan has for it goes to others at once', () => {
    const told = new Told(BOTH, { spared: ['b'] });
    expect(told.begun).toEqual([
      'send a 1.1 [4,5,head] 0+8',
      'abandon b 2.1',
      'b is on probation -> a',
      'send a 2.2 [0,1,2,3] 0+8',
      'wait 15000',
      'activity',
    ]);
    expect(told.takeAll(...allOf('a', tag(1), ['head', 5, 4]), ...allOf('a', tag(2, 2), [3, 2, 1, 0]))).toContain(
      'complete',
    );
    expect([...told.state.late]).toEqual([]);
  });

  it('takes over nothing, but for what nobody else can do', () => {
    const told = new Told({ ...BOTH, c: { layers: [0] } }, { spared: ['c'] });
    const rest = [...able('a'), { ...able('c')[0]!, onProbation: true }];
    expect(told.take({ type: 'devices', lost: ['b'], able: rest })).toContain('b lost its link -> a');
    const alone = new Told({ c: { layers: [5], head: true } }, { spared: ['c'] });
    expect(alone.begun).toContain('send c 1.2 [5,head] 0+8');
  });
});

describe('who is late', () => {
  it('is whoever owes when a deadline passes, and was given it before the last one', () => {
    const told = new Told({ ...BOTH, c: { layers: [0] } });
    told.takeAll(...allOf('a', tag(1), ['head', 5, 4]));
    // What b lost went to a, just now: only c had the whole time.
    told.take(devices(['a'], 'b'));
    told.take(LATE);
    expect([...told.state.late]).toEqual(['c']);
    told.take(LATE);
    expect([...told.state.late].toSorted()).toEqual(['a', 'c']);
  });

  it('is nobody whose link was down', () => {
    const told = new Told({ b: { layers: [5], head: true } }, { linked: [], able: [] });
    told.take(LATE);
    expect([...told.state.late]).toEqual([]);
  });
});
