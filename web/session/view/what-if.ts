import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { DeviceView } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';

/** What would be, if: asked of the planner in this tab. Nothing of it touches the room. */
export interface PlanQuestion {
  readonly settings: SessionSettings;
  readonly host: string;
  /** Only those that measured themselves; what they state is what is believed. */
  readonly devices: readonly Pick<DeviceView, 'id' | 'name' | 'profile' | 'holds'>[];
  readonly roundsDone: number;
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
