import type { Notice, SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/session.ts';
import { lateSentence } from '../cloth/late-round.ts';

export interface Problem {
  /** Stable while the problem lasts, so that a screen reader says it once. */
  readonly key: string;
  readonly sentence: string;
  /** Set for what a person may put away. */
  readonly notice: Notice['id'] | null;
  /** Nothing that anybody has to do something about. */
  readonly mild: boolean;
}

/** What needs attention now, most pressing first. A problem that the session has got over is not among them. */
export function problems(
  view: SessionView,
  putAway: ReadonlySet<Notice['id']>,
  late: readonly string[] = [],
): readonly Problem[] {
  const { room } = view;
  if (view.ended !== null) return [];
  const out: Problem[] = [];
  const add = (key: string, sentence: string, notice: Notice['id'] | null = null, mild = false): void => {
    out.push({ key, sentence, notice, mild });
  };
  if (view.server === 'reconnecting')
    add(
      'server',
      `The server does not answer; trying again.${room?.phase === 'training' ? ' Links between the devices stay up, so training goes on meanwhile.' : ''}`,
    );
  if (view.server === 'closed') add('server', 'The connection to the server is closed. Reload the page to join again.');
  // A joined device's own state is the headline of its screen.
  if (view.status.kind === 'failed' && view.role === 'host')
    add('self', `This device cannot train: ${view.status.sentence} Other devices can train without this one.`);
  // Its own screen says it above where it is this device that is waited for.
  const others = view.role === 'device' ? late.filter((id) => id !== view.self) : late;
  if (room !== null && others.length > 0) add('late', lateSentence(room, others, view.self), null, true);
  // Without anyone who could train yet, the wait for the first plan is said beside the button.
  const expectant = room?.devices.every(({ status }) => status.kind !== 'ready') ?? true;
  if (room !== null && room.planNote !== null && !expectant) add('plan', `There is no plan: ${room.planNote}`);
  const latest = view.notices.findLast((notice) => notice.kind === 'problem' && !putAway.has(notice.id));
  if (latest !== undefined && !out.some((problem) => problem.sentence.includes(latest.sentence)))
    add(`notice ${latest.id}`, latest.sentence, latest.id);
  const moved = view.notices.filter(({ kind }) => kind === 'moved');
  const last = moved.at(-1);
  // Put away once, it is put away with all that came before it.
  if (last !== undefined && !putAway.has(last.id)) {
    const times = moved.filter(({ id }) => !putAway.has(id)).length;
    add('moved', times > 1 ? say.suchThingsHappenedTimes(last.sentence, times) : last.sentence, last.id, true);
  }
  return out;
}
