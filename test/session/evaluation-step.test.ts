import { describe, expect, it } from 'vitest';
import type { ChunkTag } from '../../signaling/protocol/round.ts';
import {
  beginEvaluation,
  type EvaluationEffect,
  type EvaluationEvent,
  type EvaluationState,
  stepEvaluation,
} from '../../web/session/rounds/evaluation-step.ts';

/** An evaluation as data. Chunks are of 32 examples. */
const TERM = 3;
const EVALUATION = 5;
const tag = (chunk: number): ChunkTag => ({ term: TERM, evaluation: EVALUATION, chunk });

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

  constructor(examples: number, ...able: string[]) {
    const begun = beginEvaluation({ term: TERM, evaluation: EVALUATION, examples, able, atMs: 0 });
    this.state = begun.state;
    this.begun = begun.effects.map(short);
  }

  take(event: EvaluationEvent): string[] {
    const { state, effects } = stepEvaluation(this.state, event);
    this.state = state;
    return effects.map(short);
  }

  answer(device: string, of: number | ChunkTag): string[] {
    const logits = new Float32Array(2);
    return this.take({ type: 'logits', device, tag: typeof of === 'number' ? tag(of) : of, logits, atMs: this.atMs });
  }

  fail(device: string, chunk: number): string[] {
    return this.take({ type: 'failed', device, tag: tag(chunk), sentence: 'No.', atMs: this.atMs });
  }

  devices(able: string[], ...lost: string[]): string[] {
    return this.take({ type: 'devices', able, lost, atMs: this.atMs });
  }

  tick(seconds: number, ...able: string[]): string[] {
    this.atMs += 1000 * seconds;
    return this.take({ type: 'tick', able, atMs: this.atMs });
  }
}

describe('an evaluation', () => {
  it('gives whoever is done the next chunk, the last one with what is left', () => {
    const told = new Told(100, 'a', 'b');
    expect(told.begun).toEqual(['0 of 100', 'a does 0+32', 'b does 32+32']);
    expect(told.answer('b', 1)).toEqual(['keep 32', '32 of 100', 'b does 64+32']);
    expect(told.answer('b', 2)).toEqual(['keep 64', '64 of 100', 'b does 96+4']);
    expect(told.answer('b', 3)).toEqual(['keep 96', '68 of 100']);
    expect(told.answer('a', 0)).toEqual(['keep 0', '100 of 100', 'complete']);
  });

  it('waits while there is nobody', () => {
    const told = new Told(40);
    expect(told.begun).toEqual(['0 of 40']);
    expect(told.tick(100)).toEqual([]);
    expect(told.devices(['a'])).toEqual(['a does 0+32']);
  });

  it('of no examples is complete at once', () => {
    expect(new Told(0, 'a').begun).toEqual(['0 of 0', 'complete']);
  });
});

describe('a chunk', () => {
  it('of a device that leaves goes first to the next that is free', () => {
    const told = new Told(96, 'a', 'b');
    expect(told.devices(['a'], 'b')).toEqual([]);
    expect(told.answer('a', 0)).toEqual(['keep 0', '32 of 96', 'a does 32+32']);
    expect(told.answer('a', 1)).toEqual(['keep 32', '64 of 96', 'a does 64+32']);
    expect(told.answer('a', 2)).toEqual(['keep 64', '96 of 96', 'complete']);
  });

  it('of a device that comes back by another link is asked for again', () => {
    const told = new Told(32, 'a');
    const first = told.state.turns.get('a')?.turn;
    expect(told.devices(['a'], 'a')).toEqual(['a does 0+32']);
    expect(told.state.turns.get('a')?.turn).not.toBe(first);
  });

  it('that takes longer than 30 s is given to somebody else as well, once', () => {
    const told = new Told(64, 'a', 'b');
    told.atMs = 20_000;
    expect(told.answer('b', 1)).toEqual(['keep 32', '32 of 64']);
    expect(told.tick(10, 'a', 'b')).toEqual([]);
    expect(told.tick(1, 'a', 'b')).toEqual(['b does 0+32']);
    expect(told.tick(1, 'a', 'b', 'c')).toEqual([]);
  });

  it('that two were asked for is kept and counted once', () => {
    const told = new Told(96, 'a', 'b');
    told.answer('b', 1);
    told.answer('b', 2);
    told.tick(31, 'a', 'b');
    expect(told.answer('b', 0)).toEqual(['keep 0', '96 of 96', 'complete']);
    expect(told.answer('a', 0)).not.toContain('keep 0');
  });

  it('whose slow device answers first is not asked for any more', () => {
    const told = new Told(128, 'a', 'b');
    told.tick(31, 'a', 'b');
    // Both hang; their chunks wait in front of the other two.
    expect(told.answer('a', 0)).toEqual(['keep 0', '32 of 128', 'a does 32+32']);
    expect(told.answer('b', 1)).toEqual(['keep 32', '64 of 128', 'b does 64+32']);
    // a's answer comes second: progress stays.
    expect(told.answer('a', 1)).toEqual(['a does 96+32']);
    expect(told.answer('b', 2)).toEqual(['keep 64', '96 of 128']);
    expect(told.answer('a', 3)).toEqual(['keep 96', '128 of 128', 'complete']);
  });

  it('that waits already is not put in line twice when its slow device leaves', () => {
    const told = new Told(32, 'a');
    told.tick(31, 'a');
    expect(told.state.waiting.map(({ number }) => number)).toEqual([0]);
    told.devices([], 'a');
    expect(told.state.waiting.map(({ number }) => number)).toEqual([0]);
  });

  it.each<[string, ChunkTag]>([
    ['an earlier evaluation', { ...tag(0), evaluation: EVALUATION - 1 }],
    ['another host', { ...tag(0), term: TERM - 1 }],
    ['a chunk that is another’s', tag(1)],
  ])('of %s counts for nothing', (_, of) => {
    const told = new Told(64, 'a', 'b');
    const before = told.state;
    expect(told.answer('a', of)).toEqual([]);
    expect(told.state).toEqual(before);
  });
});

describe('a device that fails', () => {
  it('leaves its chunk to another, and rests until the next tick', () => {
    const told = new Told(96, 'a', 'b');
    expect(told.fail('a', 0)).toEqual([]);
    expect(told.answer('b', 1)).toEqual(['keep 32', '32 of 96', 'b does 0+32']);
    expect(told.devices(['a', 'b'])).toEqual([]);
    expect(told.tick(1, 'a', 'b')).toEqual(['a does 64+32']);
  });

  it('four times ends the evaluation where there is nobody else', () => {
    const told = new Told(32, 'a');
    for (let i = 0; i < 3; i++) {
      expect(told.fail('a', 0)).toEqual([]);
      expect(told.tick(1, 'a')).toEqual(['a does 0+32']);
    }
    expect(told.fail('a', 0)).toEqual(['give up: a No.']);
  });

  it('four times is not asked again while another works, and its end is told when that one leaves', () => {
    const told = new Told(64, 'a', 'b');
    for (let i = 0; i < 4; i++) {
      told.fail('a', 0);
      told.tick(1, 'a', 'b');
    }
    expect(told.state.turns.has('a')).toBe(false);
    expect(told.devices(['a', 'b'], 'b')).toEqual(['b does 32+32']);
    expect(told.devices(['a'], 'b')).toEqual(['give up: a No.']);
  });

  it('is waited for while there is nobody at all', () => {
    const told = new Told(32, 'a');
    for (let i = 0; i < 3; i++) {
      told.fail('a', 0);
      told.tick(1, 'a');
    }
    told.devices([]);
    expect(told.fail('a', 0)).toEqual([]);
    expect(told.devices(['b'])).toEqual(['b does 0+32']);
  });
});
