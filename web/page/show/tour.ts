import { memoryBytes } from '../../../signaling/protocol/cost-model.ts';
import type { RoomAssignment } from '../../../signaling/protocol/plan.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import { blocksText, countText } from '../../../signaling/protocol/words/lists.ts';
import { scoreText } from '../../../signaling/protocol/words/metrics.ts';
import { percentText, secondsText } from '../../../signaling/protocol/words/quantities.ts';
import { runText } from '../../../signaling/protocol/words/units.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { Actor } from '../../tab/show/demonstration.ts';
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
        title: 'A laptop, an old laptop, a tablet and a phone',
        text: 'They are four workers of this tab, each with its own copy of a small language model. Real ones would open a link. First each one says how fast it is, how much memory it has, and how fast its connection is.',
        waits: ready < actors.length || plan === null ? measuring(ready, actors.length) : null,
        next: 'See the plan',
      };
    }
    case 'plan':
      return {
        title: 'The planner shares the work',
        text: `${sharesText(working, room)} A wider column is more samples; weights that hang from it are seconds. Every other way of sharing was tried, and would be slower.`,
        waits: null,
        next: 'Train',
      };
    case 'round': {
      const seconds = recentRoundSeconds(rounds, 5);
      return {
        title: 'Round after round',
        text:
          seconds === null
            ? 'Each device goes forward through the model and back, and sends what it learned to the laptop, layer by layer: watch the cloth fill.'
            : `${rounds.length === 1 ? 'One round' : `${rounds.length} rounds`} so far, ${secondsText(seconds)} each; ${secondsText(plan?.latencySeconds ?? 0)} were predicted. What comes together is exactly what one device alone would have learned.${scoreSentence(seen)}`,
        waits: rounds.length < 3 ? 'The first rounds are being trained…' : null,
        next: 'Unplug the phone',
      };
    }
    case 'leave': {
      const { device, plugged } = actors[PHONE]!;
      const isLinked = room?.devices.some(({ id, linked }) => id === device && linked) ?? true;
      const gone = !plugged && !isLinked && plan !== null && !working.some((one) => one.device === device);
      return {
        title: 'One leaves, and nothing is lost',
        text: gone
          ? 'The phone went without a word. What it owed of that round the others took over, so that the round came out as it would have, and a new plan goes on without it.'
          : 'The phone is gone without a word. The others notice its silence…',
        waits: gone ? null : 'Its link is given up after a few seconds…',
        next: 'Take memory away',
      };
    }
    case 'depth': {
      const sets = new Set(working.map(({ layers, head }) => `${layers} ${head}`));
      const byDepth = working.length > 1 && sets.size > 1 && working.every(({ stage }) => stage === undefined);
      return {
        title: 'Depth decides who can',
        text: byDepth
          ? `The laptop and the tablet cannot go back through the whole model any more, but they can take what is near the answer: the way back to it is short. ${sharesText(working, room)}`
          : 'The laptop and the tablet are given little memory, and the old laptop a slow connection. To train a deep layer a device must keep everything on the way back to it.',
        waits: byDepth ? null : 'The plan is being made anew…',
        next: 'Take more memory away',
      };
    }
    case 'split': {
      // A plan from before may hold the whole model in one place.
      const top = (room?.settings.shape.layers ?? 0) + 2;
      const isSplit = working.every(({ stage }) => stage !== undefined && stage.to - stage.from < top);
      const stages = isSplit ? working.length : 0;
      return {
        title: 'No device can hold it; together they can',
        text:
          stages === 0
            ? 'Now no device has the memory for the whole model.'
            : `The model is split: ${countText(stages, 'device holds', 'devices hold')} a part each, and samples flow up through them and back. It is still exactly the same training.${scoreSentence(seen)}`,
        waits: stages === 0 ? 'The model is being split…' : null,
        next: 'Ask the model',
      };
    }
    case 'answer':
      return {
        title: 'What it has learned',
        text: `It learned whether a sentence praises a film or blames it.${scoreSentence(seen)} Ask it below, or play: everything below acts at once. A device that lies is found out by the others, who compute some of its work again.`,
        waits: null,
        next: 'Go round again',
      };
    default:
      return step satisfies never;
  }
}

const measuring = (ready: number, all: number): string =>
  ready === 0 ? 'They load the model and measure themselves…' : `${ready} of ${all} ready…`;

function sharesText(working: readonly RoomAssignment[], room: Seen['room']): string {
  if (room === null) return '';
  const perRound = room.settings.training.samplesPerRound;
  const named = (device: string): string => room.devices.find(({ id }) => id === device)?.name ?? 'One device';
  return working
    .map(({ device, layers, head, samples, stage }) => {
      const all = room.settings.shape.layers;
      const trained = layers.length === all ? 'all layers' : blocksText([...layers], head);
      const what = stage === undefined ? trained : runText(stage, all);
      return `${named(device)}: ${what}, ${percentText(samples.count / perRound)} of the samples.`;
    })
    .join(' ');
}

function scoreSentence({ scores }: Pick<Seen, 'scores'>): string {
  const last = scores.at(-1);
  return last === undefined ? '' : ` It gets ${scoreText(last.metric, last.value)} right.`;
}
