import { memoryBytes } from '../../../signaling/protocol/cost-model.ts';
import type { RoomAssignment } from '../../../signaling/protocol/plan.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import { blocksText, countText } from '../../../signaling/protocol/words/lists.ts';
import { scoreText } from '../../../signaling/protocol/words/metrics.ts';
import { percentText, secondsText } from '../../../signaling/protocol/words/quantities.ts';
import { runText } from '../../../signaling/protocol/words/units.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { Actor } from '../../tab/show/demonstration.ts';
import * as say from '../../words/watch/show.ts';
import { hasWork } from '../cloth/cloth.ts';
import { recentRoundSeconds } from '../cloth/timing.ts';

/** The stations of the guided way, in their order. */
export const STEPS = ['measure', 'plan', 'round', 'leave', 'depth', 'split', 'answer'] as const;
export type Step = (typeof STEPS)[number];

export interface Caption {
  readonly title: string;
  readonly text: string;
  /** What is waited for before it can go on; null where it can. */
  readonly waits: string | null;
  /** What going on does. */
  readonly next: string;
}

export type Seen = Pick<SessionView, 'room' | 'rounds' | 'scores' | 'opening'>;

/** Who does what at a station, by their place in the cast. */
export const PHONE = 3;
export const FEW_LAYERS = [0, 2];
/** The one that still goes back through the whole model, over a connection that makes it send as little as it can. */
export const DEEP = 1;
export const DEEP_UPLINK_BITS = 1e6;
/** How deep a device of little memory gets. */
export const SHALLOW_DEPTH = 2;

/** Memory that a pass of a few samples down to `SHALLOW_DEPTH` takes, and no deeper one does. */
export const shallowMemory = (profile: Profile): number => memoryBytes(profile, 1, SHALLOW_DEPTH);

/** Less than the whole model's weights, whatever is computed with them. */
export const lessThanTheModel = ({ memory }: Profile): number => 0.95 * memory.weightsBytes;

export function captionOf(step: Step, seen: Seen, actors: readonly Actor[]): Caption {
  const { room, rounds } = seen;
  const plan = room?.plan ?? null;
  const working = (plan?.assignments ?? []).filter((one) => hasWork(one) || one.stage !== undefined);
  switch (step) {
    case 'measure': {
      const ready = room?.devices.filter(({ profile, linked }) => profile !== null && linked).length ?? 0;
      return {
        title: say.aLaptopAnOldLaptop,
        text: say.theyAreFourWorkers,
        waits: ready < actors.length || plan === null ? measuring(ready, actors.length) : null,
        next: say.seeThePlan,
      };
    }
    case 'plan':
      return {
        title: say.thePlannerSharesTheWork,
        text: say.aWiderColumnIsMore(sharesText(working, room)),
        waits: null,
        next: say.train,
      };
    case 'round': {
      const seconds = recentRoundSeconds(rounds, 5);
      return {
        title: say.roundAfterRound,
        text:
          seconds === null
            ? say.eachDeviceGoesForwardThrough
            : say.soFarEachWerePredicted(
                rounds.length === 1 ? say.oneRound : `${rounds.length} rounds`,
                secondsText(seconds),
                secondsText(plan?.latencySeconds ?? 0),
                scoreSentence(seen),
              ),
        waits: rounds.length < 3 ? say.theFirstRoundsAreBeing : null,
        next: say.unplugThePhone,
      };
    }
    case 'leave': {
      const { device, plugged } = actors[PHONE]!;
      const isLinked = room?.devices.some(({ id, linked }) => id === device && linked) ?? true;
      const gone = !plugged && !isLinked && plan !== null && !working.some((one) => one.device === device);
      return {
        title: say.oneLeavesAndNothing,
        text: gone ? say.thePhoneWentWithout : say.thePhoneIsGoneWithout,
        waits: gone ? null : say.itsLinkIsGivenUp,
        next: say.takeMemoryAway,
      };
    }
    case 'depth': {
      const sets = new Set(working.map(({ layers, head }) => `${layers} ${head}`));
      const byDepth = working.length > 1 && sets.size > 1 && working.every(({ stage }) => stage === undefined);
      return {
        title: say.depthDecidesWhoCan,
        text: byDepth ? say.theLaptopAndTheTablet(sharesText(working, room)) : say.theLaptopAndTheTabletAreGiven,
        waits: byDepth ? null : say.thePlanIsBeingMade,
        next: say.takeMoreMemoryAway,
      };
    }
    case 'split': {
      // A plan from before may hold the whole model in one place.
      const top = (room?.settings.shape.layers ?? 0) + 2;
      const isSplit = working.every(({ stage }) => stage !== undefined && stage.to - stage.from < top);
      const stages = isSplit ? working.length : 0;
      return {
        title: say.noDeviceCanHold,
        text:
          stages === 0
            ? say.nowNoDeviceHas
            : say.theModelIsSplit(countText(stages, say.deviceHolds, say.devicesHold), scoreSentence(seen)),
        waits: stages === 0 ? say.theModelIsBeingSplit : null,
        next: say.askTheModel,
      };
    }
    case 'answer':
      return {
        title: say.whatItHasLearned,
        text: say.itLearnedWhetherASentence(scoreSentence(seen)),
        waits: null,
        next: say.goRoundAgain,
      };
    default:
      return step satisfies never;
  }
}

const measuring = (ready: number, all: number): string =>
  ready === 0 ? say.theyLoadTheModel : say.ofReady(ready, all);

function sharesText(working: readonly RoomAssignment[], room: Seen['room']): string {
  if (room === null) return '';
  const perRound = room.settings.training.samplesPerRound;
  const named = (device: string): string => room.devices.find(({ id }) => id === device)?.name ?? say.oneDevice;
  return working
    .map(({ device, layers, head, samples, stage }) => {
      const all = room.settings.shape.layers;
      const trained = layers.length === all ? say.allLayers : blocksText([...layers], head);
      const what = stage === undefined ? trained : runText(stage, all);
      return say.ofTheSamples(named(device), what, percentText(samples.count / perRound));
    })
    .join(' ');
}

function scoreSentence({ scores }: Pick<Seen, 'scores'>): string {
  const last = scores.at(-1);
  return last === undefined ? '' : say.itGetsRight(scoreText(last.metric, last.value));
}
