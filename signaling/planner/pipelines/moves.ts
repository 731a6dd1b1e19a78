import type { RandomSource } from '../algorithms/random.ts';

/** A pipeline that is being changed: rows of devices and ends of runs, of which the first `stages` count. */
export interface Draft {
  readonly devices: Int32Array;
  readonly ends: Int32Array;
  stages: number;
  microBatches: number;
  /** 1, 2 or Infinity: see `WindowRule`. */
  rule: number;
}

/** What moves may draw from. */
export interface Surroundings {
  readonly draws: RandomSource;
  /** D. */
  readonly samples: number;
  /** (K) 1 for devices of the pipeline that is being changed. */
  readonly used: Uint8Array;
  /** The stage of that pipeline whose passes take longest. */
  busiest: number;
}

/** Changes a draft a little; false where the draw makes no sense, whatever was changed by then. */
type Move = (draft: Draft, surroundings: Surroundings) => boolean;

const RULES = [1, 2, Infinity] as const;
/** A free device is drawn so many times before it is given up. */
const DRAWS_FOR_A_DEVICE = 16;
const BUSIEST = 0.3;
const QUICK = 1.5;

export function draftOf(most: number): Draft {
  return { devices: new Int32Array(most), ends: new Int32Array(most), stages: 0, microBatches: 1, rule: 1 };
}

export function copyDraft(from: Draft, to: Draft): void {
  for (let s = 0; s < from.stages; s++) {
    to.devices[s] = from.devices[s];
    to.ends[s] = from.ends[s];
  }
  to.stages = from.stages;
  to.microBatches = from.microBatches;
  to.rule = from.rule;
}

const startOf = ({ ends }: Draft, s: number): number => (s === 0 ? 0 : ends[s - 1]);

/** One unit from stage `a` to stage `b`; those between keep their lengths. */
function handOver(draft: Draft, a: number, b: number): boolean {
  const { ends } = draft;
  if (a < b) for (let s = a; s < b; s++) ends[s]--;
  else for (let s = b; s < a; s++) ends[s]++;
  return ends[a] > startOf(draft, a);
}

function drop(row: Int32Array, length: number, at: number): void {
  for (let i = at; i < length - 1; i++) row[i] = row[i + 1];
}

function put(row: Int32Array, length: number, at: number, value: number): void {
  for (let i = length; i > at; i--) row[i] = row[i - 1];
  row[at] = value;
}

/** A stage to relieve: often the busiest, which the others wait for. */
const laden = ({ stages }: Draft, { draws, busiest }: Surroundings): number =>
  draws.uniform() < BUSIEST ? busiest : draws.below(stages);

/** A device outside of the pipeline, a quick one rather than a slow one: rows are sorted so; -1 where the draws found none. */
function freeDevice({ draws, used }: Surroundings): number {
  for (let i = 0; i < DRAWS_FOR_A_DEVICE; i++) {
    const row = Math.floor(used.length * draws.uniform() ** QUICK);
    if (used[row] === 0) return row;
  }
  return -1;
}

const shiftBorder: Move = (draft, { draws }) => {
  if (draft.stages < 2) return false;
  const s = draws.below(draft.stages - 1);
  return draws.uniform() < 0.5 ? handOver(draft, s, s + 1) : handOver(draft, s + 1, s);
};

const handFar: Move = (draft, surroundings) => {
  const { draws } = surroundings;
  const a = laden(draft, surroundings);
  const b = draws.below(draft.stages);
  return a !== b && handOver(draft, a, b);
};

/** Two devices change places, each with the length of its run or with the other's. */
const swap: Move = (draft, surroundings) => {
  const { draws } = surroundings;
  const { devices, ends, stages } = draft;
  const one = laden(draft, surroundings);
  const other = draws.below(stages);
  if (one === other) return false;
  [devices[one], devices[other]] = [devices[other], devices[one]];
  if (draws.uniform() < 0.5) {
    const a = Math.min(one, other);
    const b = Math.max(one, other);
    const longer = ends[b] - startOf(draft, b) - (ends[a] - startOf(draft, a));
    for (let s = a; s < b; s++) ends[s] += longer;
  }
  return true;
};

/** A free device takes somebody's place, at times with a unit more or less. */
const replace: Move = (draft, surroundings) => {
  const { draws } = surroundings;
  const row = freeDevice(surroundings);
  if (row < 0) return false;
  const s = laden(draft, surroundings);
  draft.devices[s] = row;
  if (draws.uniform() < 0.6) return true;
  const other = draws.below(draft.stages);
  return other === s || (draws.uniform() < 0.5 ? handOver(draft, s, other) : handOver(draft, other, s));
};

/** A free device takes a part of somebody's run. */
const split: Move = (draft, surroundings) => {
  const { draws } = surroundings;
  const { devices, ends, stages } = draft;
  if (stages === devices.length) return false;
  const row = freeDevice(surroundings);
  const s = laden(draft, surroundings);
  const from = startOf(draft, s);
  if (row < 0 || ends[s] - from < 2) return false;
  put(ends, stages, s, from + 1 + draws.below(ends[s] - from - 1));
  put(devices, stages, draws.uniform() < 0.5 ? s : s + 1, row);
  draft.stages++;
  return true;
};

/** A stage goes; a neighbour takes its run. */
const merge: Move = (draft, { draws }) => {
  const { devices, ends, stages } = draft;
  if (stages < 2) return false;
  const s = draws.below(stages);
  const toBelow = s === stages - 1 || (s > 0 && draws.uniform() < 0.5);
  drop(ends, stages, toBelow ? s - 1 : s);
  drop(devices, stages, s);
  draft.stages--;
  return true;
};

/** A stage goes elsewhere in the order, with the length of its run. */
const reorder: Move = (draft, { draws }) => {
  const { devices, ends, stages } = draft;
  const from = draws.below(stages);
  const to = draws.below(stages);
  if (from === to) return false;
  const length = ends[from] - startOf(draft, from);
  const device = devices[from];
  const step = from < to ? 1 : -1;
  for (let s = from; s !== to; s += step) {
    // The neighbour moves over by one place, and by the length of the run that comes to its other side.
    devices[s] = devices[s + step];
    if (step > 0) ends[s] = ends[s + 1] - length;
    else ends[s] = ends[s - 1] + length;
  }
  devices[to] = device;
  if (step < 0) ends[to] = startOf(draft, to) + length;
  return true;
};

const recut: Move = (draft, { draws, samples }) => {
  const before = draft.microBatches;
  draft.microBatches = draws.uniform() < 0.5 ? before + (draws.uniform() < 0.5 ? -1 : 1) : 1 + draws.below(samples);
  return draft.microBatches !== before && draft.microBatches >= 1 && draft.microBatches <= samples;
};

const rewindow: Move = (draft, { draws }) => {
  const before = draft.rule;
  draft.rule = RULES[draws.below(RULES.length)];
  return draft.rule !== before;
};

/** Each with the share of draws up to which it is taken. */
const MOVES: readonly (readonly [number, Move])[] = [
  [0.2, shiftBorder],
  [0.4, handFar],
  [0.55, swap],
  [0.75, replace],
  [0.83, split],
  [0.91, merge],
  [0.94, reorder],
  [0.97, recut],
  [1, rewindow],
];

/** A move drawn by lot. */
export function change(draft: Draft, surroundings: Surroundings): boolean {
  const drawn = surroundings.draws.uniform();
  for (const [upTo, move] of MOVES) if (drawn < upTo) return move(draft, surroundings);
  return false;
}
