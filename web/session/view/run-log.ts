import type { RoundReport } from '../../../signaling/protocol/room-view.ts';
import type { Extent, Policy } from '../../../signaling/protocol/settings.ts';
import type { DataReport } from '../../../worker/api/tables.ts';
import type { RunLogSink } from '../world/environment.ts';
import { messageOf } from '../world/with-progress.ts';
import { withoutPasses } from './old-passes.ts';
import type { SessionView } from './view.ts';

/** Beyond so many lines every second one of the older half goes, but for settings and scores. */
const MAX_LINES = 20_000;
/** What stages sent each other is told once in so many rounds, and when the rounds rest or are over. */
const TRAFFIC_EVERY_ROUNDS = 50;
/** Stages' passes are told of the first round, and of each so many rounds later: they are most of a report. */
const PASSES_EVERY_ROUNDS = 50;

/** What a line of a run's log tells; each line also has `at`, the time in ISO 8601. */
export type LogEntry =
  | { readonly type: 'session'; readonly settings: unknown }
  | { readonly type: 'options'; readonly name: string; readonly slowdown: number; readonly patience: number }
  | { readonly type: 'resumed'; readonly round: number }
  | { readonly type: 'joined' | 'left'; readonly device: string; readonly name: string }
  | { readonly type: 'ready'; readonly device: string; readonly name: string; readonly profile: unknown }
  | { readonly type: 'phase'; readonly phase: string }
  | { readonly type: 'policy'; readonly policy: Policy }
  | { readonly type: 'extent'; readonly extent: Extent }
  | { readonly type: 'plan'; readonly plan: unknown }
  | { readonly type: 'data'; readonly data: DataReport }
  | { readonly type: 'round'; readonly report: SessionView['rounds'][number] }
  /** A table of one's own is whole on another device, to which the host's person gave it. */
  | { readonly type: 'given'; readonly device: string; readonly name: string }
  | { readonly type: 'traffic'; readonly traffic: SessionView['traffic'] }
  | { readonly type: 'score'; readonly report: SessionView['scores'][number] }
  | { readonly type: 'problem'; readonly sentence: string };

/** What happened between two views of one session. */
export function logEntries(before: SessionView, after: SessionView): readonly LogEntry[] {
  if (before === after) return [];
  const entries: LogEntry[] = [];
  if (before.data === null && after.data !== null) entries.push({ type: 'data', data: after.data });
  const [old, room] = [before.room, after.room];
  if (room !== null && room !== old) {
    if (old === null) entries.push({ type: 'session', settings: room.settings });
    else if (old.settings.policy !== room.settings.policy)
      entries.push({ type: 'policy', policy: room.settings.policy });
    else if (old.settings.training !== room.settings.training) {
      const { rounds, evaluateEvery } = room.settings.training;
      entries.push({ type: 'extent', extent: { rounds, evaluateEvery } });
    }
    const known = new Map((old?.devices ?? []).map((device) => [device.id, device]));
    for (const { id, name, profile, status } of room.devices) {
      const was = known.get(id);
      if (was === undefined) entries.push({ type: 'joined', device: id, name });
      const ready = status.kind === 'ready' && profile !== null;
      if (ready && (was?.status.kind !== 'ready' || was.profile === null))
        entries.push({ type: 'ready', device: id, name, profile });
      known.delete(id);
    }
    for (const { id, name } of known.values()) entries.push({ type: 'left', device: id, name });
    if (old !== null && old.phase !== room.phase) entries.push({ type: 'phase', phase: room.phase });
    if (room.plan !== null && room.plan.version !== old?.plan?.version) entries.push({ type: 'plan', plan: room.plan });
  }
  for (const report of added(before.rounds, after.rounds)) entries.push({ type: 'round', report: logged(report) });
  for (const [device, state] of Object.entries(after.tables))
    if (state === 'held' && before.tables[device] !== 'held')
      entries.push({ type: 'given', device, name: room?.devices.find(({ id }) => id === device)?.name ?? '' });
  if (isTrafficDue(before, after)) entries.push({ type: 'traffic', traffic: after.traffic });
  for (const report of added(before.scores, after.scores)) entries.push({ type: 'score', report });
  const lastNotice = before.notices.at(-1)?.id ?? 0;
  for (const { id, kind, sentence } of after.notices)
    if (id > lastNotice && kind === 'problem') entries.push({ type: 'problem', sentence });
  return entries;
}

const logged = (report: RoundReport): RoundReport =>
  (report.round - 1) % PASSES_EVERY_ROUNDS === 0 ? report : withoutPasses(report);

function isTrafficDue(before: SessionView, after: SessionView): boolean {
  const { traffic } = after;
  if (traffic === null || traffic.pairs.length === 0) return false;
  const rested = before.room?.phase === 'training' && after.room?.phase !== 'training';
  const ended = before.ended === null && after.ended !== null && after.room?.phase === 'training';
  const isNew = before.traffic?.round !== traffic.round;
  return rested || ended || (isNew && traffic.round % TRAFFIC_EVERY_ROUNDS === 0);
}

type Told = { readonly round: number; readonly elapsedSeconds: number };

function added<T extends Told>(before: readonly T[], after: readonly T[]): readonly T[] {
  const [last, newest] = [before.at(-1), after.at(-1)];
  if (before === after || newest === undefined) return [];
  if (last === undefined || newest.round > last.round) {
    const from = last?.round ?? -1;
    return after.filter(({ round }) => round > from);
  }
  // The first round that is done again after some were undone; or the same reports told once more.
  return newest.round === last.round && newest.elapsedSeconds === last.elapsedSeconds ? [] : [newest];
}

interface Line {
  readonly lasting: boolean;
  readonly text: string;
}

/** A run as JSON lines, in the order in which things happened. It outlives the tab: a checkpoint holds it. */
export class RunLog {
  readonly #nowMs: () => number;
  readonly #sink: RunLogSink | null;
  readonly #onProblem: (sentence: string) => void;
  #lines: Line[];
  #problem = '';

  /** `lines` as `lines()` gave them. A sink that fails is told of once for each reason, and holds nothing up. */
  constructor(
    nowMs: () => number,
    lines: readonly string[],
    sink: RunLogSink | null = null,
    onProblem: (sentence: string) => void = () => undefined,
  ) {
    this.#nowMs = nowMs;
    this.#sink = sink;
    this.#onProblem = onProblem;
    this.#lines = lines.map((text) => ({ lasting: /^\{"type":"(session|data|score)"/.test(text), text }));
    this.#write(() => sink?.begin(lines));
  }

  add(entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    const at = new Date(this.#nowMs()).toISOString();
    const added = entries.map(({ type, ...rest }): Line => {
      const lasting = type === 'session' || type === 'data' || type === 'score';
      return { lasting, text: JSON.stringify({ type, at, ...rest }) };
    });
    this.#lines.push(...added);
    this.#write(() => this.#sink?.add(added.map(({ text }) => text)));
    if (this.#lines.length <= MAX_LINES) return;
    const half = this.#lines.length >> 1;
    this.#lines = this.#lines.filter(({ lasting }, i) => lasting || i >= half || i % 2 === 0);
  }

  #write(write: () => void): void {
    try {
      write();
      this.#problem = '';
    } catch (error) {
      const sentence = messageOf(error);
      if (sentence === this.#problem) return;
      this.#problem = sentence;
      this.#onProblem(sentence);
    }
  }

  lines(): readonly string[] {
    return this.#lines.map(({ text }) => text);
  }

  text(): string {
    return this.#lines.map(({ text }) => `${text}\n`).join('');
  }
}
