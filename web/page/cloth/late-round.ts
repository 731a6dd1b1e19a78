import { useEffect, useRef, useState } from 'preact/hooks';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Activity, RoomView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import { listText } from '../../../signaling/protocol/words/lists.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/cloth.ts';
import { hasWork } from './cloth.ts';
import { recentRoundSeconds } from './timing.ts';

/** A round may take so many times what was to be expected of it. */
const LATE_FACTOR = 2;
/** Sooner nobody has begun to wonder. */
const LEAST_SECONDS = 2.5;
const NAMED = 3;
const PACE_ROUNDS = 5;

/** After so many seconds a round is late: twice what the plan predicts, or what rounds take here if that is more. */
export function lateAfterSeconds(plan: Pick<RoomPlan, 'latencySeconds'>, rounds: readonly RoundReport[]): number {
  const usual = Math.max(plan.latencySeconds, recentRoundSeconds(rounds, PACE_ROUNDS) ?? 0);
  return Math.max(LEAST_SECONDS, LATE_FACTOR * usual);
}

/** Devices whose part of the round has not come: as the host tells; before it told anything, all that have a part. */
export function waitedFor(
  { plan, devices }: Pick<RoomView, 'plan' | 'devices'>,
  activity: Activity | null,
  round: number,
): readonly string[] {
  const here = (id: string): boolean => devices.some((device) => device.id === id);
  const told = activity?.round === round ? activity.devices : null;
  const open =
    told === null
      ? (plan?.assignments ?? []).filter(hasWork).map(({ device }) => device)
      : told.filter(({ received, expected }) => received < expected).map(({ device }) => device);
  return open.filter(here);
}

/** "This round waits for Pixel 8, whose tab is in the background." */
export function lateSentence(
  { plan, devices }: Pick<RoomView, 'plan' | 'devices'>,
  late: readonly string[],
  self: string,
): string {
  const names = late.slice(0, NAMED).map((id) => {
    const device = devices.find((one) => one.id === id);
    const name = id === self ? say.thisDevice : (device?.name ?? say.aDevice);
    return device?.hidden ? say.whoseTab(name) : name;
  });
  const more = late.length - names.length;
  const whom = listText(more > 0 ? [...names, `${more} more`] : names);
  const predicted = plan === null ? '' : say.itWasToTake(secondsText(plan.latencySeconds));
  return say.thisRoundWaits(whom, predicted);
}

const NOBODY: readonly string[] = [];

/** Whom the round that runs waits for, once it is late; nobody before. One timer a round, and no clock that ticks. */
export function useLate(view: SessionView): readonly string[] {
  const { room, rounds, activity, ended } = view;
  const { plan = null, phase } = room ?? {};
  const round = 1 + (rounds.at(-1)?.round ?? 0);
  const running = phase === 'training' && ended === null && plan !== null;
  const total = room?.settings.training.rounds ?? 0;
  const key = running && round <= total ? `${round} ${plan.version}` : null;
  const [late, setLate] = useState<string | null>(null);
  const latest = useRef(rounds);
  latest.current = rounds;
  useEffect(() => {
    if (key === null || plan === null) return;
    const timer = setTimeout(() => setLate(key), 1000 * lateAfterSeconds(plan, latest.current));
    return () => clearTimeout(timer);
  }, [key, plan]);
  return late === null || late !== key || room === null ? NOBODY : waitedFor(room, activity, round);
}
