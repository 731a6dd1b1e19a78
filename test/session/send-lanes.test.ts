import { describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame, MAX_OPEN_MESSAGES, Reassembler } from '../../signaling/protocol/exchange/frames.ts';
import { SendLanes } from '../../web/session/links/send-lanes.ts';

/** Three slices each of 4,096 values. */
const VALUES = 2 * 4096 + 1000;
const tag = { term: 1, round: 1, order: 1, epoch: 1 };
const gradient: DataMessage = {
  header: { type: 'gradient', tag, block: 0 },
  tensors: [new Float32Array(VALUES)],
};
const parameters: DataMessage = { header: { type: 'probe', probe: 1 }, tensors: [new Float32Array(VALUES)] };
const hidden: DataMessage = {
  header: {
    type: 'hidden',
    from: 'aaaaaaaa',
    to: 'bbbbbbbb',
    of: { term: 1, round: 1, pipeline: 0, epoch: 1 },
    stage: 1,
    microBatch: 0,
    direction: 'up',
    codec: 'f32',
    scale: 1,
  },
  tensors: [new Float32Array(VALUES)],
};

/** What is sent, slice by slice, as the numbers that messages got when they were begun; `at` adds messages before a slice. */
function sent(lanes: SendLanes, at: Record<number, DataMessage> = {}): { numbers: number[]; types: string[] } {
  const numbers: number[] = [];
  const types: string[] = [];
  const reassembler = new Reassembler();
  let last = 0;
  for (let i = 0; ; i++) {
    const added = at[i];
    if (added !== undefined) void lanes.add(added, null);
    const next = lanes.next(1000, () => ++last);
    if (next?.kind !== 'slice') return { numbers, types };
    numbers.push(new DataView(next.slice.buffer).getUint32(0, true));
    const whole = reassembler.add(next.slice, 0);
    const header = whole && decodeFrame(whole).header;
    if (typeof header === 'object' && header !== null && 'type' in header) types.push(String(header.type));
  }
}

describe('what waits to be sent', () => {
  it('goes message after message within a lane', () => {
    const lanes = new SendLanes();
    void lanes.add(parameters, null);
    void lanes.add(parameters, null);
    expect(sent(lanes).numbers).toEqual([1, 1, 1, 2, 2, 2]);
  });

  it('lets hidden states in between the slices of a gradient, and a gradient between those of parameters', () => {
    const lanes = new SendLanes();
    void lanes.add(parameters, null);
    const { numbers, types } = sent(lanes, { 1: gradient, 2: hidden });
    expect(numbers).toEqual([1, 2, 3, 3, 3, 2, 2, 1, 1]);
    expect(types).toEqual(['hidden', 'gradient', 'probe']);
    // The receiver holds one unfinished message of each lane, and short ones.
    expect(new Set(numbers).size).toBeLessThan(MAX_OPEN_MESSAGES);
  });

  it('waits for the share of a gradient alone, while hidden states go', () => {
    const lanes = new SendLanes();
    // 64 KiB may go at once; then each slice of 16,400 bytes takes 16.4 s at 8 kbit/s, and goes after 10 s all the same.
    const long: DataMessage = { ...gradient, tensors: [new Float32Array(6 * 4096)] };
    void lanes.add(long, { bitsPerSecond: 8000 });
    let number = 0;
    const next = (nowMs: number) => lanes.next(nowMs, () => ++number);
    // The fourth slice would be over by 64 bytes of slice headers: 64 ms at 1 byte a millisecond.
    for (let i = 0; i < 3; i++) expect(next(0)?.kind).toBe('slice');
    expect(next(0)).toEqual({ kind: 'wait', ms: 64 });
    void lanes.add(hidden, null);
    for (let i = 0; i < 3; i++) expect(next(0)?.kind).toBe('slice');
    expect(next(64)?.kind).toBe('slice');
    expect(next(64)).toEqual({ kind: 'wait', ms: 10_000 });
  });

  it('settles what was sent and what never will be', async () => {
    const lanes = new SendLanes();
    const settled: string[] = [];
    void lanes.add(hidden, null).then(() => settled.push('sent'));
    void lanes.add(parameters, null).then(() => settled.push('cleared'));
    expect(lanes.waiting).toBe(2);
    for (let i = 0; i < 3; i++) lanes.next(0, () => 1);
    await Promise.resolve();
    expect([settled, lanes.waiting]).toEqual([['sent'], 1]);
    lanes.clear();
    await Promise.resolve();
    expect([settled, lanes.waiting, lanes.next(0, () => 1)]).toEqual([['sent', 'cleared'], 0, null]);
  });
});
