import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { OwnSession } from '../web/session/host-session.ts';
import { roomLink } from '../web/session/link-address.ts';
import type { SessionView } from '../web/session/view.ts';
import type { ExportedFile, HostRequest } from '../worker/rpc.ts';
import { headlessEnvironment } from './headless/environment.ts';
import type { RoundReport, ScoreReport } from './protocol/room-view.ts';
import type { Policy } from './protocol/settings.ts';

/** A device that has not come by then is not waited for. */
const GATHER_MS = 30_000;
const MEMORY_LIMIT_BYTES = 2e9;

export interface DemoDevice {
  readonly name: string;
  readonly slowdown: number;
}

export interface DemoSession {
  readonly origin: string;
  readonly request: HostRequest;
  readonly policy: Policy;
  readonly devices: readonly DemoDevice[];
  /** Where models of a hub are kept; null keeps none. */
  readonly cacheFolder: string | null;
  readonly onLink: (link: string) => void;
  readonly onView: (view: SessionView) => void;
  readonly signal: AbortSignal;
}

export interface DemoResult {
  readonly rounds: readonly RoundReport[];
  readonly scores: readonly ScoreReport[];
  readonly files: readonly ExportedFile[];
  /** From the first round's start to the last score. */
  readonly trainingSeconds: number;
}

/** One cooperative session from creation to the exported adapter: the host here, every device in a process of its own. */
export async function runSession(demo: DemoSession): Promise<DemoResult> {
  const { origin, request, policy, devices, cacheFolder, signal } = demo;
  const environment = await headlessEnvironment(origin, {
    memoryLimitBytes: MEMORY_LIMIT_BYTES,
    cacheFolder,
  });
  const session = new OwnSession(environment, request, { name: 'host', policy, slowdown: 1, patience: 0 });
  const children: ChildProcess[] = [];
  const abort = (): void => session.leave();
  signal.addEventListener('abort', abort, { once: true });
  session.subscribe(demo.onView);
  try {
    const opened = await until(session, ({ room }) => room !== null);
    const link = roomLink(origin, opened.room?.id ?? '');
    demo.onLink(link);
    // One after the other: on one machine they would slow each other down while they measure themselves.
    await gather(session, 1);
    for (const [i, device] of devices.entries()) {
      children.push(startDevice(link, device, cacheFolder));
      await gather(session, i + 2);
    }
    const startMs = performance.now();
    session.start();
    await until(session, ({ room }) => room?.phase === 'finished');
    const trainingSeconds = (performance.now() - startMs) / 1000;
    const { rounds, scores } = session.view;
    return { rounds, scores, files: await session.exportAdapter('last'), trainingSeconds };
  } finally {
    signal.removeEventListener('abort', abort);
    session.leave();
    await Promise.all(children.map(ended));
  }
}

/** The first view that satisfies; rejects with the session's last sentence when it ends before. */
function until(session: OwnSession, satisfied: (view: SessionView) => boolean): Promise<SessionView> {
  return new Promise((resolve, reject) => {
    const look = (view: SessionView): void => {
      if (satisfied(view)) resolve(view);
      else if (view.ended !== null) reject(new Error(view.ended));
      else {
        const paused = view.room?.phase === 'paused' ? view.notices.findLast((n) => n.kind === 'problem') : undefined;
        if (paused === undefined) return;
        reject(new Error(paused.sentence));
      }
      off();
    };
    const off = session.subscribe(look);
    look(session.view);
  });
}

/** Waits until `count` devices have measured themselves and are planned for, or the time is up and at least one has. */
async function gather(session: OwnSession, count: number): Promise<void> {
  let late = false;
  const settled = (view: SessionView): boolean => {
    const { room } = view;
    if (room === null || room.plan === null) return false;
    const ready = room.devices.filter((d) => d.profile !== null && d.linked).length;
    const failed = room.devices.filter((d) => d.status.kind === 'failed').length;
    return late || ready + failed >= count;
  };
  const timer = setTimeout(() => {
    late = true;
    // Nothing may change any more, so look once by hand.
    session.setPolicy(session.view.room?.settings.policy ?? 'auto');
  }, GATHER_MS);
  await until(session, settled);
  clearTimeout(timer);
}

function startDevice(link: string, { name, slowdown }: DemoDevice, cacheFolder: string | null): ChildProcess {
  const program = fileURLToPath(new URL('./tabloom.ts', import.meta.url));
  return spawn(
    process.execPath,
    [
      ...['--import', 'tsx', program, 'join', link],
      ...['--name', name, '--slowdown', String(slowdown), '--cache', cacheFolder ?? 'none'],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

/** The room's end reaches every device; one that does not go by itself is ended. */
function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
