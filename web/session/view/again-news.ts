import { computeSeconds } from '../../../signaling/protocol/cost-model.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import * as say from '../../words/session/view.ts';

/** From so many times as fast on it is worth a word. */
const WORTH_A_WORD = 1.2;

/** What to tell of devices that plans left out and that measured themselves again. */
export class AgainNews {
  /** As they were known when they were left out, by device; none of those that are gone. */
  #first: ReadonlyMap<string, Profile> = new Map();

  /** What became of them with a change of the room. */
  heard(before: RoomView | null, after: RoomView | null, self: string): readonly string[] {
    if (before === null || after === null || before === after) return [];
    const first = new Map<string, Profile>();
    const sentences: string[] = [];
    for (const { id, name, profile } of after.devices) {
      const was = before.devices.find((device) => device.id === id)?.profile ?? null;
      const isNew = was !== null && profile !== was && isLeftOut(before, id);
      const known = this.#first.get(id) ?? (isNew ? was : null);
      if (known === null || profile === null) continue;
      if (after.plan === null || isLeftOut(after, id)) {
        first.set(id, known);
        continue;
      }
      const what = fasterText(known, profile, after);
      const who = id === self ? say.thisDevice : name;
      if (what !== null) sentences.push(say.wasMeasuredAgainThePlan(who, what));
    }
    this.#first = first;
    return sentences;
  }
}

const isLeftOut = ({ plan }: RoomView, id: string): boolean =>
  plan !== null && !plan.assignments.some(({ device }) => device === id);

/** "4 times as fast as at first", "its link is 12 times as fast as at first"; null where neither became faster. */
function fasterText(first: Profile, now: Profile, { settings }: RoomView): string | null {
  const { layers } = settings.shape;
  const seconds = (profile: Profile): number =>
    computeSeconds(profile, layers, settings.training.samplesPerRound, layers);
  const speed = seconds(first) / seconds(now);
  const link = now.linkBitsPerSecond / first.linkBitsPerSecond;
  if (Math.max(speed, link) < WORTH_A_WORD) return null;
  return speed >= link ? say.timesAsFast(timesText(speed)) : say.itsLinkIsTimes(timesText(link));
}

const timesText = (times: number): string => (times < 9.95 ? times.toFixed(1).replace(/\.0$/, '') : times.toFixed(0));
