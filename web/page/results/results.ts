import { deepestDepth } from '../../../signaling/protocol/adapters.ts';
import { computeSeconds } from '../../../signaling/protocol/cost-model.ts';
import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { capitalised, countText } from '../../../signaling/protocol/words/lists.ts';
import { percentText, secondsText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/take/results.ts';
import { type Mark, markFor, type Seats } from '../cloth/marks.ts';
import { outcome, trainingSeconds } from '../curve/scores.ts';
import type { Tally } from '../own/given.ts';

/** What came of a session, for those who were in it and those they tell. */

export interface Contribution {
  readonly device: string;
  readonly name: string;
  /** Null of a device that left: its place is another's by now. */
  readonly mark: Mark | null;
  readonly self: boolean;
  /** 0 to 1 of all the work. */
  readonly share: number;
  readonly samples: number;
  readonly seconds: number;
}

/** Everybody who did some of the work, those that left included, who did most first; `names` of all that were ever seen. */
export function contributions(
  tally: Tally,
  self: string,
  seats: Seats,
  names: ReadonlyMap<string, string>,
): readonly Contribution[] {
  return [...tally.devices]
    .map(([device, { work, samples, seconds }]) => ({
      device,
      name: names.get(device) ?? say.aDeviceThatLeft,
      mark: seats.includes(device) ? markFor(seats, device) : null,
      self: device === self,
      share: tally.work === 0 ? 0 : work / tally.work,
      samples,
      seconds,
    }))
    .toSorted((a, b) => b.share - a.share || (a.device < b.device ? -1 : 1));
}

/**
 * Seconds that the host's device would have needed for the same rounds by itself, by what it measured of itself: all samples, down to the
 * lowest trained layer. Null where it has not measured itself.
 */
export function aloneSeconds(room: Pick<RoomView, 'settings' | 'devices' | 'host'>, rounds: number): number | null {
  const profile = room.devices.find(({ id }) => id === room.host)?.profile ?? null;
  if (profile === null) return null;
  const { shape, lora, training } = room.settings;
  return rounds * computeSeconds(profile, shape.layers, training.samplesPerRound, deepestDepth(lora, shape.layers));
}

/** "Together it took 4 min; Linen Shuttle alone would have needed about 11 min."; null where there is nothing to compare. */
export function togetherSentence(view: SessionView, devices: number): string | null {
  const { room, rounds } = view;
  const together = trainingSeconds(rounds);
  const done = rounds.at(-1)?.round ?? 0;
  const alone = room === null ? null : aloneSeconds(room, done);
  if (room === null || together === null || alone === null || devices < 2) return null;
  const host = room.devices.find(({ id }) => id === room.host)?.name ?? say.theHost;
  const took = say.togetherItTook(secondsText(together));
  return alone > together
    ? say.aloneWouldHaveNeededAbout(took, host, secondsText(alone))
    : say.aloneWouldHaveBeen(took, capitalised(host), secondsText(alone));
}

/** What a picture or a note about the session says, line by line. */
export interface Told {
  readonly title: string;
  readonly what: string;
  readonly metric: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly rounds: string;
}

export function toldOf(view: SessionView, devices: number): Told | null {
  const { room, rounds, scores } = view;
  if (room === null) return null;
  const score = outcome(scores, room.settings.task.devExamples);
  const done = rounds.at(-1)?.round ?? 0;
  const seconds = trainingSeconds(rounds);
  return {
    title: say.fineTunedTogether(countText(devices, say.device, say.devices)),
    what: `${room.settings.task.title}, ${room.settings.model.id}`,
    metric: score === null ? '' : say.dev(score.metric),
    before: score?.before ?? null,
    after: score?.after ?? null,
    rounds: `${countText(done, say.round, say.rounds)}${seconds === null ? '' : say.inWord(secondsText(seconds))}`,
  };
}

const cell = (text: string): string => text.replace(/[\\|]/g, (character) => `\\${character}`).replace(/\s+/g, ' ');

/** The same as Markdown, with a table of who did how much. */
export function markdown(told: Told, all: readonly Contribution[]): string {
  const score =
    told.after === null
      ? []
      : [`${capitalised(told.metric)}: ${told.before === null ? '' : `${told.before} → `}**${told.after}**`, ''];
  return [
    `## ${told.title}`,
    '',
    `${cell(told.what)}; ${told.rounds}.`,
    '',
    ...score,
    say.deviceOfTheWorkSamples,
    '|---|---:|---:|---:|',
    ...all.map(
      ({ name, share, samples, seconds }) =>
        `| ${cell(name)} | ${percentText(share)} | ${samples.toLocaleString('en-US')} | ${secondsText(seconds)} |`,
    ),
    '',
  ].join('\n');
}
