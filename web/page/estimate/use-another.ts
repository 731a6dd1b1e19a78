import { useEffect, useState } from 'preact/hooks';
import { anotherSentence, withAnother } from '../../../signaling/protocol/words/forecast.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { AskPlanner, SupposedDevice } from '../../session/view/what-if.ts';
import { TAUGHT_BY } from '../what-if/what-if.ts';

/**
 * What one more device like the quickest would save, as the planner has it; null where it would hardly save anything, and before anybody
 * knows. Asked once for each plan.
 */
export function useAnother(
  { room, self, ended, rounds }: Pick<SessionView, 'room' | 'self' | 'ended' | 'rounds'>,
  ask: AskPlanner,
): string | null {
  const [said, setSaid] = useState<string | null>(null);
  const version = room?.plan?.version ?? null;
  const isOver = ended !== null || room?.phase === 'finished';
  useEffect(() => {
    let isStale = false;
    setSaid(null);
    const other = version === null || room === null || isOver ? null : withAnother(room);
    if (other === null || room === null) return;
    const { settings, host, plan } = room;
    const ready = room.devices.filter(({ status, linked }) => status.kind === 'ready' && linked);
    const { id, name } = other.like;
    const one = other.devices.at(-1);
    const factors = { speed: 1, memory: 1, uplink: 1 };
    const here = ready.map((device) => ({ id: device.id, name: device.name, imagined: null, ...factors }));
    const profile = one?.profile ?? null;
    if (one === undefined || profile === null) return;
    const imagined = { id: one.id, name: one.name, imagined: { profile, like: id }, ...factors };
    const seconds = async (supposed: readonly SupposedDevice[]): Promise<number | null> => {
      const question = { settings, host, plan, devices: ready, rounds: rounds.slice(-TAUGHT_BY), supposed };
      const answer = await ask(question);
      return answer.feasible ? answer.plan.latencySeconds : null;
    };
    const told = async (): Promise<void> => {
      // Both as the planner has them now: a plan in use may be older than what rounds have taught since.
      const [now, then] = [await seconds(here), await seconds([...here, imagined])];
      if (isStale || now === null || then === null) return;
      setSaid(anotherSentence(id === self ? 'yours' : name, now, then));
    };
    // Where no planner can be started nothing is said.
    told().catch(() => undefined);
    return () => {
      isStale = true;
    };
  }, [version, isOver, self, ask]);
  return said;
}
