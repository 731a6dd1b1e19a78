import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { OwnSession } from '../../../web/session/own-session.ts';
import { resumeSession } from '../../../web/session/resume-session.ts';
import { TRAINING_PAUSED } from '../../../web/session/training/training.ts';
import type { RoundTraffic, SessionView, StreamedPart } from '../../../web/session/view/view.ts';
import type { SessionEnvironment } from '../../../web/session/world/environment.ts';
import { processorShare } from '../../../web/session/world/processor-share.ts';
import { messageOf } from '../../../web/session/world/with-progress.ts';
import type { AdapterChoice, ExportForm, HostRequest } from '../../../worker/api/host-api.ts';
import type { DevReport } from '../../../worker/api/report.ts';
import type { DataReport } from '../../../worker/api/tables.ts';
import { headlessEnvironment } from '../../node/node-environment.ts';
import type { RoundReport, ScoreReport } from '../../protocol/room-view.ts';
import type { Policy } from '../../protocol/settings.ts';
import type { HiddenStates } from '../../protocol/split.ts';
import { DEFAULT_AUDITS } from '../../protocol/words/audits.ts';
import type { EngineChoice } from '../../protocol/words/engines.ts';
import { roundsWithin } from '../../protocol/words/forecast.ts';
import { scoredEvery } from '../../protocol/words/recipes.ts';
import { type DemoDevice, ended, MEMORY_LIMIT_BYTES, startDevice } from './demo-device.ts';
import { type DemoDoor, keepDoor } from './demo-door.ts';

/** A device that has not come by then is not waited for, unless the caller has longer. */
const GATHER_MS = 30_000;
/** What is taken out of a session that has been trained. */
export interface Exports {
  /** In the order in which they are made. */
  readonly forms: readonly ExportForm[];
  readonly which: AdapterChoice;
  /** Bytes of each, before the first round; a rejection ends the session then. */
  readonly weigh: (bytesOf: ReadonlyMap<ExportForm, number>) => Promise<void>;
  /** Takes one as soon as it is made. */
  readonly deliver: (form: ExportForm, parts: AsyncGenerator<StreamedPart, void, void>) => Promise<void>;
}

export interface DemoSession {
  readonly origin: string;
  readonly session:
    | {
        readonly kind: 'fresh';
        readonly request: HostRequest;
        readonly policy: Policy;
        readonly patience: number;
        readonly hiddenStates?: HiddenStates;
        readonly embeddings?: 'int8';
        readonly audits?: number;
        /** Rounds are fitted to this time, once the devices are there. */
        readonly minutes?: number | null;
      }
    /** What a checkpoint's file held, and its key's; null where there is none. */
    | { readonly kind: 'checkpoint'; readonly bytes: Uint8Array; readonly key: string | null };
  readonly devices: readonly DemoDevice[];
  readonly gatherMs?: number;
  /** The most that training may take of the host's memory. */
  readonly memoryBytes?: number;
  /** What all devices compute on. */
  readonly engine?: EngineChoice;
  /** Where models of a hub are kept; null keeps none. */
  readonly cacheFolder: string | null;
  /** Null where nothing is taken out at the end. */
  readonly exports: Exports | null;
  readonly checkpointFile: string | null;
  readonly logFile: string | null;
  readonly door: DemoDoor;
  /** Every device with the link is given a table of one's own. */
  readonly giveTable?: boolean;
  readonly onLink: (link: string) => void;
  /** What the terminal host is asked, and told, about those at its door. */
  readonly onDoor: (line: string) => void;
  readonly onView: (view: SessionView) => void;
  readonly signal: AbortSignal;
}

export interface DemoResult {
  readonly rounds: readonly RoundReport[];
  readonly scores: readonly ScoreReport[];
  readonly delivered: readonly ExportForm[];
  /** What was asked for and is not there, and why. */
  readonly missing: readonly { readonly form: ExportForm; readonly sentence: string }[];
  /** What the data was read as, and how many texts were cut. */
  readonly data: DataReport | null;
  /** Null where nothing was scored, because the session had ended before. */
  readonly report: DevReport | null;
  readonly seconds: SpentSeconds;
  /** What stages sent each other; null where nobody split the model. */
  readonly traffic: RoundTraffic | null;
  readonly hiddenStates: HiddenStates;
  /** The round that the last checkpoint is of; null where there is none. */
  readonly keptRound: number | null;
}

/** Where the time of a session went. */
export interface SpentSeconds {
  /** From the start to the end of the last round, with what was scored beside the rounds. */
  readonly training: number;
  /** From there to the last score, which is waited for. */
  readonly lastScore: number;
}

/** A session that ended before everything was made: how far it was, and how far what is on disk is. */
export class UnfinishedError extends Error {
  readonly trainedRounds: number;
  /** Null where no checkpoint was written. */
  readonly keptRound: number | null;

  constructor(sentence: string, { rounds, kept }: SessionView) {
    super(sentence);
    this.trainedRounds = rounds.at(-1)?.round ?? 0;
    this.keptRound = kept?.round ?? null;
  }
}

/** One cooperative session from creation, or from a checkpoint, to the exported adapter: the host here, every device in a process of its own. @throws UnfinishedError */
export async function runSession(demo: DemoSession): Promise<DemoResult> {
  const { origin, cacheFolder, checkpointFile, logFile, signal } = demo;
  const environment = await headlessEnvironment(origin, {
    memoryLimitBytes: demo.memoryBytes ?? MEMORY_LIMIT_BYTES,
    ...(demo.engine && { engine: demo.engine }),
    cacheFolder,
    allowPrivate: true,
    ...(checkpointFile !== null && { checkpointFile }),
    ...(logFile !== null && { logFile }),
  });
  const session = await openSession(environment, demo);
  const closeDoor = keepDoor(session, demo.door.admitAll, demo.onDoor);
  const children: ChildProcess[] = [];
  const abort = (): void => session.leave();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  session.subscribe(demo.onView);
  if (demo.giveTable) giveToAll(session);
  const end = async (): Promise<void> => {
    signal.removeEventListener('abort', abort);
    closeDoor();
    session.leave();
    await session.closed;
    await Promise.all(children.map(ended));
  };
  let made: Omit<DemoResult, 'keptRound'>;
  try {
    const seconds = await train(session, demo, children);
    const delivered = demo.exports === null ? { delivered: [], missing: [] } : await takeOut(session, demo.exports);
    const { rounds, scores, data, traffic, room } = session.view;
    const { hiddenStates = 'f32' } = room?.settings ?? {};
    const report = await session.answers.devReport().catch(() => null);
    made = { ...delivered, rounds, scores, data, report, seconds, traffic, hiddenStates };
  } catch (error) {
    await end();
    throw new UnfinishedError(messageOf(error), session.view);
  }
  await end();
  return { ...made, keptRound: session.view.kept?.round ?? null };
}

/** From an open session to its last score; resolves with the seconds that training took. */
async function train(session: OwnSession, demo: DemoSession, children: ChildProcess[]): Promise<SpentSeconds> {
  const { devices, cacheFolder, engine = 'auto', gatherMs = GATHER_MS } = demo;
  // Each measures itself while the others wait; in rounds all of them compute.
  const share = processorShare([1, ...devices.map(({ slowdown }) => slowdown)], availableParallelism());
  const memoryLimitBytes = demo.memoryBytes ?? MEMORY_LIMIT_BYTES;
  if (share > 1) void session.pretend({ slowdown: 1, share, memoryLimitBytes });
  const opened = await until(session, ({ invitation }) => invitation !== null);
  const link = opened.invitation?.link ?? '';
  demo.onLink(link);
  if (demo.exports !== null) await demo.exports.weigh(await exportBytes(session, demo.exports.forms));
  if (opened.room?.phase === 'finished') return { training: 0, lastScore: 0 };
  // One after the other: on one machine they would slow each other down while they measure themselves.
  await gather(session, { count: 1, isLast: devices.length === 0, gatherMs });
  for (const [i, device] of devices.entries()) {
    children.push(startDevice(link, device, { cacheFolder, engine, share }));
    await gather(session, { count: i + 2, isLast: i + 1 === devices.length, gatherMs });
  }
  if (demo.session.kind === 'fresh' && demo.session.minutes) await fitRounds(session, demo.session.minutes);
  const startMs = performance.now();
  const before = session.view.rounds.length;
  let trainedMs = startMs;
  let known = before;
  const off = session.subscribe(({ rounds }) => {
    if (rounds.length === known) return;
    known = rounds.length;
    trainedMs = performance.now();
  });
  session.start();
  await until(session, ({ room }) => room?.phase === 'finished', failedTraining).finally(off);
  return { training: (trainedMs - startMs) / 1000, lastScore: (performance.now() - trainedMs) / 1000 };
}

/** As many rounds as end in time; one at least. */
async function fitRounds(session: OwnSession, minutes: number): Promise<void> {
  const { room } = await until(session, ({ room }) => room?.plan != null);
  if (room === null) return;
  const rounds = roundsWithin(room, 60 * minutes) ?? 1;
  const { evaluateEvery } = room.settings.training;
  await session.setExtent({ rounds, evaluateEvery: evaluateEvery > 0 ? scoredEvery(rounds) : 0 });
  await until(session, ({ room }) => room?.settings.training.rounds === rounds);
}

/** Whoever has the link gets the whole table, once. */
function giveToAll(session: OwnSession): void {
  const given = new Set<string>();
  session.subscribe(({ proofs, self }) => {
    for (const [device, { proof }] of Object.entries(proofs)) {
      if (proof !== 'secret' || device === self || given.has(device)) continue;
      given.add(device);
      session.giveTable(device);
    }
  });
}

/** One export after the other; one that fails is in the way of no other. */
async function takeOut(
  session: OwnSession,
  { forms, which, deliver }: Exports,
): Promise<Pick<DemoResult, 'delivered' | 'missing'>> {
  const delivered: ExportForm[] = [];
  const missing: { form: ExportForm; sentence: string }[] = [];
  for (const form of forms) {
    try {
      await deliver(form, session.exportParts(form, which));
      delivered.push(form);
    } catch (error) {
      if (session.view.ended !== null) throw error;
      missing.push({ form, sentence: messageOf(error) });
    }
  }
  return { delivered, missing };
}

/** Each export as it would be, before anything is trained. @throws Error with one sentence where one of them would fail. */
async function exportBytes(session: OwnSession, forms: readonly ExportForm[]): Promise<Map<ExportForm, number>> {
  const bytesOf = new Map<ExportForm, number>();
  for (const form of forms)
    bytesOf.set(
      form,
      await session.exportBytes(form).catch((error: unknown) => {
        throw new Error(`The export as ${form} would fail: ${messageOf(error)} Leave it out of --export-as.`);
      }),
    );
  return bytesOf;
}

async function openSession(
  environment: SessionEnvironment,
  { session: asked, door: { door, cap } }: Pick<DemoSession, 'session' | 'door'>,
): Promise<OwnSession> {
  const chosen = { ...(door !== null && { door }), ...(cap !== null && { cap }) };
  if (asked.kind === 'fresh') {
    const { request, policy, patience, hiddenStates = 'f32', embeddings, audits = DEFAULT_AUDITS } = asked;
    const coarse = embeddings && { embeddings };
    const options = { name: 'host', policy, slowdown: 1, patience, hiddenStates, audits, ...coarse, ...chosen };
    return new OwnSession(environment, request, options);
  }
  const session = await resumeSession(environment, asked, null);
  const { door: had, cap: limit } = session.entrance.kept;
  session.entrance.set(door ?? had, cap ?? limit);
  return session;
}

/** Why training stopped by itself, or null. */
function failedTraining({ room, notices }: SessionView): string | null {
  if (room?.phase !== 'paused') return null;
  return notices.findLast(({ sentence }) => sentence.startsWith(TRAINING_PAUSED))?.sentence ?? null;
}

/** The first view that satisfies; rejects with the session's last sentence when it ends before, or with what `failure` says. */
function until(
  session: OwnSession,
  satisfied: (view: SessionView) => boolean,
  failure: (view: SessionView) => string | null = () => null,
): Promise<SessionView> {
  return new Promise((resolve, reject) => {
    const look = (view: SessionView): void => {
      const why = view.ended ?? failure(view);
      if (satisfied(view)) resolve(view);
      else if (why !== null) reject(new Error(why));
      else return;
      off();
    };
    const off = session.subscribe(look);
    look(session.view);
  });
}

/**
 * Waits until `count` devices have measured themselves, or the time is up and at least one has; with the last of them until they are planned
 * for: before, they may be too few for any plan.
 */
async function gather(
  session: OwnSession,
  { count, isLast, gatherMs }: { readonly count: number; readonly isLast: boolean; readonly gatherMs: number },
): Promise<void> {
  let late = false;
  const settled = ({ room }: SessionView): boolean => {
    if (room === null) return false;
    const ready = room.devices.filter((d) => d.profile !== null && d.linked).length;
    const failed = room.devices.filter((d) => d.status.kind === 'failed').length;
    const isPlanned = room.plan !== null || (!isLast && room.planNote !== null);
    return isPlanned && (late || ready + failed >= count);
  };
  const timer = setTimeout(() => {
    late = true;
    // Nothing may change any more, so look once by hand.
    session.setPolicy(session.view.room?.settings.policy ?? 'auto');
  }, gatherMs);
  const unplanned = ({ room }: SessionView): string | null =>
    late && isLast && room?.plan === null && room.planNote !== null ? `There is no plan: ${room.planNote}` : null;
  await until(session, settled, (view) => noDevice(view) ?? unplanned(view));
  clearTimeout(timer);
}

/** Why there will never be a plan, or null: the one device there is cannot train. */
function noDevice({ status, room }: SessionView): string | null {
  return status.kind === 'failed' && room?.devices.length === 1 ? `No device can train: ${status.sentence}` : null;
}
