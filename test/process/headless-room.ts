import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type HeadlessEnvironment, headlessEnvironment, keyFileOf } from '../../signaling/node/node-environment.ts';
import { PLAIN_TRAINING, type Policy } from '../../signaling/protocol/settings.ts';
import type { RoomPlanner } from '../../signaling/server/plan-service.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import type { ownSession } from '../../web/session/members.ts';
import { OwnSession } from '../../web/session/own-session.ts';
import { resumeSession } from '../../web/session/resume-session.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { DEALT } from './dealt-plans.ts';
import type { Failing } from './failing-stage.ts';
import type { LieName } from './lies.ts';

/** Everything that a test waits for comes within seconds on a quiet machine. */
const PATIENCE_MS = 150_000;

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** `hub`: with a small hub's files below `/hub`. */
export function startTestServer(port = 0, hub = false, planner: RoomPlanner = DEALT): Promise<RunningServer> {
  return startServer({
    port,
    host: '127.0.0.1',
    pageFolder: null,
    modelsFolder: project('models'),
    hubFolder: hub ? project('test/fixtures/hub') : null,
    iceServers: [],
    log: () => undefined,
    planner,
  });
}

const open = new Set<HeadlessRoom>();

/** Closes what a try that failed has left behind. */
export async function closeRooms(): Promise<void> {
  await Promise.all([...open].map((room) => room.close()));
}

/** A host in this process; its devices are processes of their own, over real WebRTC. */
export class HeadlessRoom {
  readonly session: OwnSession;
  readonly #environment: HeadlessEnvironment;
  readonly #children = new Map<string, ChildProcess>();

  private constructor(session: OwnSession, environment: HeadlessEnvironment) {
    this.session = session;
    this.#environment = environment;
    open.add(this);
  }

  static async open(
    origin: string,
    policy: Policy,
    training: Partial<HostRequest['training']>,
    change: {
      request?: Partial<HostRequest>;
      patience?: number;
      checkpointFile?: string;
      memoryBytes?: number;
      audits?: number;
      embeddings?: 'int8';
      /** Nobody is asked at the door of a test otherwise, of a table of one's own neither. */
      asksAtDoor?: boolean;
      make?: typeof ownSession;
    } = {},
  ): Promise<HeadlessRoom> {
    const { checkpointFile, patience = 0, memoryBytes = 2e9, audits, embeddings } = change;
    // Whoever has another host in its place is a device then.
    const make = change.make ?? ((...given) => new OwnSession(...given));
    const environment = await headlessEnvironment(origin, {
      memoryLimitBytes: memoryBytes,
      ...(checkpointFile && { checkpointFile }),
    });
    const request: HostRequest = {
      model: { kind: 'embedded', id: 'roberta-mini' },
      weights: 'f32',
      task: { id: 'grammar', endpoint: origin },
      lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
      training: {
        ...PLAIN_TRAINING,
        rounds: 20,
        samplesPerRound: 8,
        maxTokens: 32,
        learningRate: 3e-3,
        weightDecay: 0.01,
        warmupFraction: 0.1,
        dropout: 0,
        evaluateEvery: 0,
        seed: 7,
        ...training,
      },
      origin,
      ...change.request,
    };
    const coming = {
      ...(change.asksAtDoor !== true && { door: 'link' as const }),
      ...(audits !== undefined && { audits }),
      ...(embeddings !== undefined && { embeddings }),
    };
    const options = { name: 'host', policy, slowdown: 1, patience, ...coming };
    const session = make(environment, request, options);
    return new HeadlessRoom(session, environment);
  }

  /** Goes on with what `open` kept in a file; without its key as somebody does who was given the checkpoint alone. */
  static async resume(origin: string, checkpointFile: string, withKey = true): Promise<HeadlessRoom> {
    const environment = await headlessEnvironment(origin, { memoryLimitBytes: 2e9, checkpointFile });
    const key = withKey ? await readFile(keyFileOf(checkpointFile), 'utf8') : null;
    const session = await resumeSession(environment, { bytes: await readFile(checkpointFile), key }, null);
    return new HeadlessRoom(session, environment);
  }

  get view(): SessionView {
    return this.session.view;
  }

  /** The first view that satisfies; rejects when that cannot come any more, or does not in time, with what the session said. */
  until(satisfied: (view: SessionView) => boolean): Promise<SessionView> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        const { room, rounds, activity, notices } = this.session.view;
        const seen = {
          phase: room?.phase,
          rounds: rounds.length,
          activity,
          devices: room?.devices.map(({ name, status, linked, online }) => ({ name, status, linked, online })),
          plan: room?.plan?.assignments.map(({ device, layers }) => ({ device, layers })),
          notices: notices.map(({ sentence }) => sentence),
        };
        reject(new Error(`${why} ${JSON.stringify(seen, null, 1)}`));
      };
      const look = (view: SessionView): void => {
        if (satisfied(view)) resolve(view);
        else if (view.ended !== null) fail(`The session ended: ${view.ended}`);
        else if (view.room?.phase === 'finished' && view.activity === null && view.evaluation === null)
          fail('The session finished before.');
        else return;
        clearTimeout(timer);
        off();
      };
      const timer = setTimeout(() => {
        off();
        fail(`Nothing for ${PATIENCE_MS / 1000} s.`);
      }, PATIENCE_MS);
      const off = this.session.subscribe(look);
      look(this.session.view);
    });
  }

  async addDevice(name: string, memoryBytes = 2e9, more: readonly string[] = []): Promise<void> {
    const { invitation } = await this.until((view) => view.invitation !== null);
    const link = invitation?.link ?? '';
    const args = ['--import', 'tsx', project('signaling/tabloom.ts'), 'join', link, '--name', name];
    args.push('--memory', `${memoryBytes / 1e6}MB`, ...more);
    this.#children.set(name, spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
  }

  /** A device whose worker lies from this round on. */
  async addLiar(name: string, lie: LieName, from = 1): Promise<void> {
    const { invitation } = await this.until((view) => view.invitation !== null);
    const args = [
      '--import',
      'tsx',
      project('test/process/lying-device.ts'),
      invitation?.link ?? '',
      name,
      lie,
      `${from}`,
    ];
    this.#children.set(name, spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
  }

  /** A device that fails as a stage from this round on. */
  async addFailing(name: string, how: Failing, of: { round: number; memoryBytes: number }): Promise<void> {
    const { invitation } = await this.until((view) => view.invitation !== null);
    const told = [invitation?.link ?? '', name, `${of.memoryBytes}`, how, `${of.round}`];
    const args = ['--import', 'tsx', project('test/process/failing-stage.ts'), ...told];
    this.#children.set(name, spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
  }

  /** The host goes as a tab does that is closed or loaded again. Its devices stay where they are. */
  async hangUp(): Promise<void> {
    this.#environment.leave();
    await this.session.closed;
  }

  /** Without a word: no goodbye to the room, no closing of links. */
  kill(name: string): void {
    this.#children.get(name)?.kill('SIGKILL');
  }

  /** Waits until `count` devices are measured and linked, whether there is a plan for them or not. */
  measured(count: number): Promise<SessionView> {
    return this.until(
      ({ room }) => (room?.devices.filter((d) => d.profile !== null && d.linked).length ?? 0) === count,
    );
  }

  /** Waits until `count` devices are measured, linked and in a plan's reach. */
  ready(count: number): Promise<SessionView> {
    return this.until(
      ({ room }) =>
        (room?.devices.filter((d) => d.profile !== null && d.linked).length ?? 0) === count && room?.plan != null,
    );
  }

  finished(): Promise<SessionView> {
    return this.until(
      ({ room, scores, rounds }) => room?.phase === 'finished' && scores.length > 0 && rounds.length > 0,
    );
  }

  async close(): Promise<void> {
    open.delete(this);
    this.session.leave();
    await Promise.all(
      [...this.#children.values()].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        // They leave when the room closes; this only bounds how long.
        const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
        await gone;
        clearTimeout(timer);
      }),
    );
    // What is kept for the last time is written.
    await this.session.closed;
  }
}

export const losses = (view: SessionView): number[] => view.rounds.map((report) => report.loss);

export function largestRelativeDifference(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]) / Math.abs(b[i])));
}

export const namesOf = (view: SessionView, round: number): string[] => {
  const ids = new Set(view.rounds[round - 1].devices.map((d) => d.device));
  return (view.room?.devices ?? []).filter((d) => ids.has(d.id)).map((d) => d.name);
};
