import { useEffect, useState } from 'preact/hooks';
import { anotherSentence, withAnother } from '../../../signaling/protocol/words/forecast.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { AskPlanner } from '../../session/view/what-if.ts';

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
    const { settings, host } = room;
    const roundsDone = rounds.at(-1)?.round ?? 0;
    const ready = room.devices.filter(({ status, linked }) => status.kind === 'ready' && linked);
    // What the plan in use says has measured rounds in it; what a supposed device does is only stated: like is compared with like.
    const seconds = async (devices: typeof ready): Promise<number | null> => {
      const answer = await ask({ settings, host, devices, roundsDone });
      return answer.feasible ? answer.plan.latencySeconds : null;
    };
    const { id, name } = other.like;
    const told = async (): Promise<void> => {
      const [now, then] = [await seconds(ready), await seconds([...other.devices])];
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
