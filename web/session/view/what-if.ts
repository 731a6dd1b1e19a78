import type { Factors } from '../../../signaling/protocol/cost-model.ts';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { DeviceView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';

/** What would be, if: asked of the planner in this tab. Nothing of it touches the room. */
export interface PlanQuestion {
  readonly settings: SessionSettings;
  readonly host: string;
  /** Those of the room that could train. */
  readonly devices: readonly Pick<DeviceView, 'id' | 'name' | 'profile' | 'holds'>[];
  /** Who would take part; the devices as they are where it is not said. */
  readonly supposed?: readonly SupposedDevice[];
  /** The latest rounds of the room, and its plan: what they took is believed. */
  readonly rounds: readonly RoundReport[];
  readonly plan: RoomPlan | null;
}

export interface SupposedDevice extends Factors {
  readonly id: string;
  readonly name: string;
  /** Of somebody who is not in the room: timed by what this device of the room states of itself. */
  readonly imagined: { readonly profile: Profile; readonly like: string } | null;
}

export type PlanAnswer = (
  | { readonly feasible: true; readonly plan: RoomPlan }
  | { readonly feasible: false; readonly reason: string }
) & {
  /** The same question as a file for `tabloom plan`. */
  readonly file: string;
};

/** Rejects with a sentence where no planner can be started. */
export type AskPlanner = (question: PlanQuestion) => Promise<PlanAnswer>;
