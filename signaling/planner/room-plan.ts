import type { SplitModel } from '../protocol/pipeline/split-problem.ts';
import type { RoomPlan } from '../protocol/plan.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../protocol/profile.ts';
import type { Policy } from '../protocol/settings.ts';
import type { UnitRun } from '../protocol/split.ts';
import type { DetailedProblem } from './problem/problem.ts';
import { type SolveOptions, solve } from './solve.ts';

export interface RoomDevice {
  readonly id: string;
  /** What people call it, for explanations. */
  readonly name: string;
  readonly profile: Profile;
  /** What of the model it has in memory; absent, or null, where it does not say. */
  readonly holds?: UnitRun | null | undefined;
}

/** What the planner needs to know of a room. */
export interface RoomProblem {
  readonly layers: number;
  /** D, samples in a round. */
  readonly samples: number;
  readonly layerUploadBits: DetailedProblem['model']['layerUploadBits'];
  readonly headUploadBits: number;
  readonly devices: readonly RoomDevice[];
  readonly hostId: string;
  readonly policy: Policy;
  readonly seed: number;
  /** For plans that split the model: its units, and the rounds over which loading pays. */
  readonly split?: { readonly model: SplitModel; readonly roundsLeft: number };
}

export type RoomPlanAnswer =
  | { readonly feasible: true; readonly plan: Omit<RoomPlan, 'version'> }
  | { readonly feasible: false; readonly reason: string };

/** A room as a problem over the airtime channel: W = 1, shares of one medium, each device's own measured rate. */
export function detailedProblem(room: RoomProblem): DetailedProblem {
  return {
    model: {
      layers: room.layers,
      samples: room.samples,
      head: { uploadBits: room.headUploadBits },
      layerUploadBits: room.layerUploadBits,
    },
    devices: room.devices.map(({ id, profile }) => ({
      id,
      overheadSeconds: profile.overheadSeconds,
      secondsPerSample: profile.secondsPerSample,
      memory: profile.memory,
      // The host's gradients travel through its own memory, whatever it stated.
      bitsPerSecondPerHz: id === room.hostId ? LOCAL_LINK_BITS_PER_SECOND : profile.linkBitsPerSecond,
    })),
    bandwidthHz: 1,
    channel: 'airtime',
    // A host whose own engine failed still merges what the others train.
    ...(room.devices.some(({ id }) => id === room.hostId) ? { host: room.hostId } : {}),
  };
}

/** From what the devices measured to who does what. Pure and deterministic; the order of the devices does not matter. */
export function planRoom(room: RoomProblem, options: Pick<SolveOptions, 'now'> = {}): RoomPlanAnswer {
  const hostTrains = room.devices.some((device) => device.id === room.hostId);
  if (!hostTrains && room.policy === 'offload')
    return {
      feasible: false,
      reason: 'The host does not train, and with this policy nobody else does. Choose another.',
    };
  const names = new Map(room.devices.map((device) => [device.id, device.name]));
  const answer = solve(detailedProblem(room), room.policy, {
    ...options,
    seed: room.seed,
    nameOf: (id) => names.get(id) ?? id,
  });
  if (!answer.feasible) return { feasible: false, reason: answer.reason };
  const { feasible: _, assignments, ...rest } = answer;
  return {
    feasible: true,
    plan: {
      ...rest,
      assignments: assignments.map(({ depth: _depth, bandwidthHz: _hertz, share, ...work }) => ({
        ...work,
        layers: [...work.layers],
        share: Math.min(share, 1),
      })),
    },
  };
}
