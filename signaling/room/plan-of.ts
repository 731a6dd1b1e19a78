import { detailedProblem, planRoom } from '../planner/room-plan.ts';
import { computeSeconds, type Factors, paced, supposedProfile } from '../protocol/cost-model.ts';
import { splitModelOf } from '../protocol/pipeline/split-room.ts';
import type { RoomPlan } from '../protocol/plan.ts';
import type { Profile } from '../protocol/profile.ts';
import type { DeviceView, RoundReport } from '../protocol/room-view.ts';
import type { SessionSettings } from '../protocol/settings.ts';
import { believedTrainers, NO_PLANNING, observeReport, roomProblem, type Trainer } from './planning.ts';
import { isSplitPlan } from './re-layout.ts';

/** A device of another room than the one that is. */
export interface SupposedDevice extends Factors {
  readonly id: string;
  readonly name: string;
  /** Of somebody who is not in the room: timed by what this device of the room states of itself. */
  readonly imagined: { readonly profile: Profile; readonly like: string } | null;
}

/** A room that might be. */
export interface SupposedRoom {
  readonly settings: SessionSettings;
  readonly host: string;
  /** Those that are in the room and could train, as they measured themselves. */
  readonly devices: readonly Pick<DeviceView, 'id' | 'name' | 'profile' | 'holds'>[];
  /** Who would take part; the devices of the room as they are where it is not said. */
  readonly supposed?: readonly SupposedDevice[];
  /** The latest rounds of the room, and its plan: what they took is believed, as the room itself believes it. */
  readonly rounds: readonly RoundReport[];
  readonly plan: RoomPlan | null;
}

/** Plans that only might be have no number of their own. */
const NO_VERSION = 1;
/** So many of the latest rounds say how quick devices are. */
const LOOK_BACK = 48;

/** What a room would be planned like, by what is believed of its devices, and the question as a file for `tabloom plan`. */
export function planOf(room: SupposedRoom) {
  const { settings, host } = room;
  const believed = believedOf(room);
  const trainers = room.supposed === undefined ? believed : changed(room, believed, room.supposed);
  if (trainers.length === 0) return { feasible: false as const, reason: 'No device takes part.', file: '{}' };
  const problem = roomProblem(settings, host, trainers, 'as they are', room.rounds.at(-1)?.round ?? 0);
  const file = JSON.stringify(detailedProblem(problem), null, 2);
  const answer = planRoom(problem);
  if (!answer.feasible) return { feasible: false as const, reason: answer.reason, file };
  const plan: RoomPlan = { ...answer.plan, version: NO_VERSION };
  return { feasible: true as const, plan, file };
}

/** Devices as the room's rounds measured them. */
function believedOf({ settings, host, devices, rounds, plan }: SupposedRoom): readonly Trainer[] {
  const { layers } = settings.shape;
  const trainers = devices.flatMap(({ profile, ...one }) => (profile === null ? [] : [{ ...one, profile }]));
  const split = { model: splitModelOf(settings), host };
  let { fits } = NO_PLANNING;
  for (const report of rounds.slice(-LOOK_BACK)) {
    const ran = report.planVersion === plan?.version ? plan : null;
    // What a stage took says nothing without the plan that it was of.
    if (ran === null && plan !== null && isSplitPlan(plan)) continue;
    fits = observeReport(fits, trainers, ran, report, layers, split);
  }
  return believedTrainers(trainers, fits, host, layers);
}

function changed(room: SupposedRoom, believed: readonly Trainer[], supposed: readonly SupposedDevice[]): Trainer[] {
  const { layers } = room.settings.shape;
  const seconds = (profile: Profile): number => computeSeconds(profile, layers, 1, layers);
  const known = new Map(believed.map((trainer) => [trainer.id, trainer]));
  return supposed.flatMap(({ id, name, imagined, ...factors }): Trainer[] => {
    const own = known.get(id);
    if (own !== undefined) return [{ ...own, profile: supposedProfile(own.profile, factors) }];
    if (imagined === null) return [];
    // Whoever is imagined like a device that turned out slower than it stated is as much slower.
    const stated = room.devices.find((one) => one.id === imagined.like)?.profile ?? null;
    const model = known.get(imagined.like)?.profile;
    const pace = stated === null || model === undefined ? 1 : seconds(model) / seconds(stated);
    return [{ id, name, profile: supposedProfile(paced(imagined.profile, pace), factors) }];
  });
}
