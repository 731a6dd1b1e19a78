import { detailedProblem, planRoom } from '../planner/room-plan.ts';
import type { RoomPlan } from '../protocol/plan.ts';
import type { DeviceView } from '../protocol/room-view.ts';
import type { SessionSettings } from '../protocol/settings.ts';
import { roomProblem } from './planning.ts';

/** A room that might be. */
export interface SupposedRoom {
  readonly settings: SessionSettings;
  readonly host: string;
  readonly devices: readonly Pick<DeviceView, 'id' | 'name' | 'profile' | 'holds'>[];
  readonly roundsDone: number;
}

/** Plans that only might be have no number of their own. */
const NO_VERSION = 1;

/** What a room would be planned like where what devices state of themselves is believed, and the question as a file for `tabloom plan`. */
export function planOf({ settings, host, devices, roundsDone }: SupposedRoom) {
  const trainers = devices.flatMap(({ profile, ...one }) => (profile === null ? [] : [{ ...one, profile }]));
  if (trainers.length === 0) return { feasible: false as const, reason: 'No device takes part.', file: '{}' };
  const problem = roomProblem(settings, host, trainers, new Map(), roundsDone);
  const file = JSON.stringify(detailedProblem(problem), null, 2);
  const answer = planRoom(problem);
  if (!answer.feasible) return { feasible: false as const, reason: answer.reason, file };
  const plan: RoomPlan = { ...answer.plan, version: NO_VERSION };
  return { feasible: true as const, plan, file };
}
