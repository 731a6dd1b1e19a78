import type { Demand } from './bandwidth.ts';

/** What one device does in a plan, before it is written out as an assignment. */
export interface Load extends Demand {
  /** Row of the device. */
  readonly device: number;
  /** Ascending; 0 is the head. */
  readonly depths: readonly number[];
  /** Positions within the round's samples; the detailed form only. */
  readonly samples?: { readonly start: number; readonly count: number };
}

/** A way to run the round. */
export interface Solution {
  readonly loads: readonly Load[];
  /** One per load. */
  readonly hertz: readonly number[];
  readonly latencySeconds: number;
  readonly lowerBoundSeconds: number;
  readonly solver: string;
}

/** Why there is none. */
export interface Refusal {
  readonly reason: string;
  readonly solver: string;
}
