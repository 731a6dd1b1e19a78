import type {
  Activity,
  DeviceStatus,
  RoomView,
  RoundReport,
  ScoreReport,
} from '../../../signaling/protocol/room-view.ts';
import { isBetter, type Measure, measured } from '../../../signaling/protocol/scores.ts';
import type { OpeningProgress } from '../../../worker/api/host-api.ts';
import type { DataReport } from '../../../worker/api/tables.ts';
import type { RoomMessage } from '../links/room-client.ts';
import type { LinkState } from '../transport/link-state.ts';
import { withoutOldPasses } from './old-passes.ts';
import type { LinkProof, Notice, SessionView } from './view.ts';

/** Notices are for the moment; a page shows the latest few. */
const MAX_NOTICES = 20;
const MAX_POINTS = 5000;

export type ViewEvent =
  | { readonly type: 'server'; readonly server: SessionView['server'] }
  | { readonly type: 'message'; readonly message: RoomMessage }
  | { readonly type: 'status'; readonly status: DeviceStatus }
  | { readonly type: 'opening'; readonly opening: OpeningProgress | null }
  | { readonly type: 'round'; readonly report: RoundReport }
  | { readonly type: 'score'; readonly report: ScoreReport }
  | { readonly type: 'activity'; readonly activity: Activity }
  | { readonly type: 'passes'; readonly passes: SessionView['passes'] }
  | { readonly type: 'traffic'; readonly traffic: SessionView['traffic'] }
  | { readonly type: 'evaluation'; readonly evaluation: SessionView['evaluation'] }
  | { readonly type: 'data'; readonly data: DataReport; readonly pairs: boolean }
  | { readonly type: 'invitation'; readonly invitation: SessionView['invitation'] }
  /** Null when the link is gone. */
  | { readonly type: 'proof'; readonly device: string; readonly proof: LinkProof | null }
  /** Why there is no link to the host; null when there is one. */
  | { readonly type: 'trouble'; readonly trouble: string | null }
  | { readonly type: 'beside'; readonly beside: SessionView['beside'] }
  | { readonly type: 'heirs'; readonly heirs: SessionView['heirs'] }
  | { readonly type: 'table'; readonly device: string; readonly table: SessionView['tables'][string] }
  | { readonly type: 'follows'; readonly follows: boolean }
  | { readonly type: 'followed' }
  | { readonly type: 'kept'; readonly kept: SessionView['kept'] }
  | {
      readonly type: 'notice';
      readonly kind: Notice['kind'];
      readonly sentence: string;
      readonly elapsedSeconds: number;
    }
  | { readonly type: 'link'; readonly device: string; readonly state: LinkState }
  | { readonly type: 'ended'; readonly sentence: string };

export function firstView(role: SessionView['role'], self: string): SessionView {
  return {
    role,
    self,
    server: 'connecting',
    opening: null,
    invitation: null,
    door: null,
    cap: null,
    waiting: [],
    atDoor: null,
    proofs: {},
    beside: [],
    links: {},
    linkTrouble: null,
    room: null,
    status: role === 'watcher' ? { kind: 'watching' } : { kind: 'joining' },
    rounds: [],
    scores: [],
    activity: null,
    passes: null,
    traffic: null,
    evaluation: null,
    best: null,
    kept: null,
    heirs: [],
    tables: {},
    follows: false,
    followed: false,
    data: null,
    pairs: null,
    notices: [],
    ended: null,
  };
}

/** The view after an event. */
export function reduceView(view: SessionView, event: ViewEvent): SessionView {
  switch (event.type) {
    case 'server':
      return { ...view, server: event.server };
    case 'proof': {
      const { [event.device]: _, ...others } = view.proofs;
      const { [event.device]: __, ...links } = view.links;
      if (event.proof === null) return { ...view, proofs: others, links };
      return { ...view, proofs: { ...others, [event.device]: event.proof } };
    }
    case 'link':
      return { ...view, links: { ...view.links, [event.device]: event.state } };
    case 'trouble':
      return { ...view, linkTrouble: event.trouble };
    case 'status':
      return { ...view, status: event.status };
    case 'opening':
      return { ...view, opening: event.opening };
    case 'round':
      return withRound(view, event.report);
    case 'score':
      return withScores({ ...view, evaluation: null, scores: earlier(view.scores, event.report.round) }, [
        event.report,
      ]);
    case 'activity':
      return { ...view, activity: event.activity };
    case 'passes':
      return { ...view, passes: event.passes };
    case 'traffic':
      return { ...view, traffic: event.traffic };
    case 'evaluation':
      return { ...view, evaluation: event.evaluation };
    case 'data':
      return { ...view, data: event.data, pairs: event.pairs };
    case 'invitation':
      return { ...view, invitation: event.invitation };
    case 'beside':
      return { ...view, beside: event.beside };
    case 'heirs':
      return { ...view, heirs: event.heirs };
    case 'table':
      return { ...view, tables: { ...view.tables, [event.device]: event.table } };
    case 'follows':
      return { ...view, follows: event.follows };
    case 'followed':
      return { ...view, followed: true };
    case 'kept':
      return { ...view, kept: event.kept };
    case 'ended':
      return view.ended === null ? { ...view, ended: event.sentence } : view;
    case 'notice': {
      const { kind, sentence, elapsedSeconds } = event;
      const id = (view.notices.at(-1)?.id ?? 0) + 1;
      return { ...view, notices: [...view.notices, { id, kind, sentence, elapsedSeconds }].slice(-MAX_NOTICES) };
    }
    case 'message':
      return reduceMessage(view, event.message);
  }
}

function reduceMessage(view: SessionView, message: RoomMessage): SessionView {
  switch (message.type) {
    case 'room':
      return withRoom(view, message.room);
    case 'hostless':
    case 'offer':
      return view;
    case 'entrance':
      return { ...view, ...message.entrance };
    case 'waiting':
      return { ...view, atDoor: message.sentence };
    case 'history':
      return withScores({ ...view, rounds: withoutOldPasses(byRound(view.rounds, message.rounds)) }, message.scores);
    case 'round':
    case 'score':
      return reduceView(view, message);
    case 'activity':
      return { ...view, activity: message.activity };
    case 'closed':
      return reduceView(view, { type: 'ended', sentence: message.sentence });
    case 'error':
      return message.refused ? reduceView(view, { type: 'ended', sentence: message.sentence }) : view;
  }
}

/** A session that went back (its host went on from a checkpoint) tells rounds again: what was told of later ones never was. */
function withRound(view: SessionView, report: RoundReport): SessionView {
  const last = view.rounds.at(-1);
  const back = last !== undefined && report.round <= last.round;
  const rounds = withoutOldPasses(byRound(back ? earlier(view.rounds, report.round) : view.rounds, [report]));
  const next = { ...view, rounds, activity: null };
  return back ? withScores({ ...next, scores: earlier(view.scores, report.round) }, []) : next;
}

const earlier = <T extends { readonly round: number }>(reports: readonly T[], round: number): readonly T[] =>
  (reports.at(-1)?.round ?? -1) < round ? reports : reports.filter((report) => report.round < round);

function withRoom(view: SessionView, room: RoomView): SessionView {
  // A host that goes on with a session knows its scores before the room, and what the best is chosen by.
  const best = view.room === null ? bestScore(view.scores, room.settings.training.bestBy) : view.best;
  return { ...view, room, best, atDoor: null };
}

function withScores(view: SessionView, added: readonly ScoreReport[]): SessionView {
  const scores = byRound(view.scores, added);
  return { ...view, scores, best: bestScore(scores, view.room?.settings.training.bestBy ?? null) };
}

/** The best of a session's scores by `bestBy`, or by the task's own metric; the earliest of equals. */
export function bestScore(scores: readonly ScoreReport[], bestBy: Measure | null): SessionView['best'] {
  let best: SessionView['best'] = null;
  for (const score of scores) {
    const by = bestBy ?? score.metric;
    const value = score.chosenBy ?? measured(score, by);
    if (value !== null && (best === null || isBetter(by, value, best.value))) best = { round: score.round, by, value };
  }
  return best;
}

/** Reports in order of their round, the newer one where two tell of the same: after a reconnection history comes again. */
function byRound<T extends { readonly round: number }>(old: readonly T[], added: readonly T[]): readonly T[] {
  const last = old.at(-1);
  if (added.length === 1 && (last === undefined || added[0].round > last.round))
    return [...old, ...added].slice(-MAX_POINTS);
  const merged = new Map([...old, ...added].map((report) => [report.round, report]));
  return [...merged.values()].sort((a, b) => a.round - b.round).slice(-MAX_POINTS);
}
