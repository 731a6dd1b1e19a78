import type { Alternative } from '../../protocol/plan.ts';
import type { Work } from '../../protocol/round.ts';
import type { Policy } from '../../protocol/settings.ts';

/** What one device does in a plan. In the tabular form there is one entry per (device, depth), in the detailed form one per device. */
export interface Assignment {
  readonly device: string;
  /** Depth of the deepest block that the device trains: 1 is nearest the loss, 0 means the head alone. */
  readonly depth: number;
  readonly bandwidthHz: number;
  /** `bandwidthHz` as a part of the problem's whole, 0 to 1: the share of airtime in a room. */
  readonly share: number;
  readonly uploadBits: number;
  /** Forward over all samples and backward down to `depth`. */
  readonly computeSeconds: number;
  readonly uploadSeconds: number;
  readonly memoryBytes: number;
}

/** The detailed form decides the work itself; its micro-batch is the largest that fits the device's memory. */
export interface DetailedAssignment extends Assignment, Work {}

export interface FeasiblePlan<A extends Assignment = Assignment> {
  /** With `auto`, the policy that won. */
  readonly policy: Policy;
  readonly feasible: true;
  /** Predicted seconds of a round: the largest compute + upload. */
  readonly latencySeconds: number;
  /** No plan of the policy's class can be faster; see docs/planner.md for the classes. */
  readonly lowerBoundSeconds: number;
  /** The algorithm that ran. */
  readonly solver: string;
  /** 0 unless the caller injects a clock. */
  readonly solveMs: number;
  /** The device that limits the round. */
  readonly limitedBy: string;
  /** Which device limits the round and what would help most; with `auto` first why this policy. */
  readonly explanation: string;
  readonly assignments: readonly A[];
  /** With `auto`: every policy that was compared. */
  readonly alternatives?: readonly Alternative[];
}

export interface InfeasiblePlan {
  readonly policy: Policy;
  readonly feasible: false;
  /** One sentence; names the depth that nobody can hold, where there is one. */
  readonly reason: string;
  readonly solver: string;
  readonly solveMs: number;
}

export type PlanAnswer<A extends Assignment = Assignment> = FeasiblePlan<A> | InfeasiblePlan;
