import type { HostWorkerApi } from '../../worker/api/host-api.ts';
import { lookAt } from '../session/look.ts';
import type { HostOptions, HostSession, JoinedSession, Session, SessionFactory } from '../session/view/view.ts';
import type { SessionEnvironment } from '../session/world/environment.ts';
import { previewApart } from '../session/world/table-apart.ts';
import { claimBytes } from './memory/crumbs.ts';
import { deleteKeptPage, deleteOwnStorage, keepsAnything } from './own-storage.ts';
import { plannerInTab } from './plan-in-tab.ts';
import { claim, refuseAnyOpen, refuseOpen } from './session-lock.ts';
import { type TabDoor, tabDoor } from './tab-door.ts';
import { startHostWorker } from './workers.ts';

/** Fetched with the first session: the network code, and for one of this tab's own what a host does. */
const environments = () => import('./tab-environment.ts');
const joining = () => import('./join-in-tab.ts');
const hosting = () => import('../session/members.ts');
const counting = () => import('./shared-processor.ts');
const resuming = () => import('../session/resume-session.ts');

/** Another world than the real one, fetched when it is wanted. */
export type OtherWorld = (door: TabDoor) => SessionEnvironment;

/**
 * How a page in a browser tab makes sessions. `origin` is the server that the page came from; `alone` gives the world for sessions of one's own
 * where there is no server, and null where there is one.
 */
export function createSessionFactory(origin: string, alone: () => Promise<OtherWorld> | null): SessionFactory {
  const door = tabDoor(origin);
  /** The real world; training may take no more of it than the person gives. */
  const environment = async ({ memoryBytes, engine }: Pick<HostOptions, 'memoryBytes' | 'engine'>) => {
    const world = (await alone()) ?? (await environments()).tabEnvironment;
    const real = world(door);
    const memoryLimitBytes = Math.min(memoryBytes ?? Number.POSITIVE_INFINITY, real.memoryLimitBytes);
    const given: SessionEnvironment = { ...real, memoryLimitBytes, ...(engine && { engine }) };
    return given;
  };
  /** For questions that need no session. */
  const ask = async <Answer>(question: (api: HostWorkerApi) => Promise<Answer>): Promise<Answer> => {
    const { api, terminate } = startHostWorker();
    try {
      return await question(api);
    } finally {
      terminate();
    }
  };
  const running = new Set<HostSession>();
  const claimed = (session: HostSession): void => {
    running.add(session);
    const release = claim(session.view.self);
    const off = session.subscribe(({ ended }) => {
      if (ended === null) return;
      off();
      // What it kept last is on the disk then.
      void Promise.resolve(session.closed).then(() => {
        running.delete(session);
        void release.then((free) => free());
      });
    });
  };
  /** A device may become its session's host, which this browser then keeps, and a host a device. */
  const watched = <Kind extends Session>(session: Kind, host: HostSession | null): Kind => {
    if (host !== null) claimed(host);
    session.onSuccessor?.((next) => watched(next.session, next.host));
    return session;
  };
  const own = <Kind extends HostSession>(session: Kind): Kind => watched(session, session);
  /** It states what other tabs of this browser leave it of the processor. */
  const counted = <Kind extends HostSession | JoinedSession>(
    session: Kind,
    { memoryLimitBytes }: SessionEnvironment,
    { slowdown }: Pick<HostOptions, 'slowdown'>,
  ): Kind => {
    // One that cannot be had takes nothing from the session.
    void counting().then(
      ({ countProcessor }) => countProcessor(session, { slowdown, memoryLimitBytes }),
      () => undefined,
    );
    return session;
  };
  const settled = async (): Promise<void> => {
    await Promise.all([...running].map((session) => (session.view.ended === null ? null : session.closed)));
  };
  return {
    host: async (request, options) => {
      const { folder, ...others } = options;
      const [{ ownSession }, world] = await Promise.all([hosting(), environment(options)]);
      const session = own(ownSession(folder === undefined ? world : withFolder(world, folder), request, others));
      return counted(session, world, options);
    },
    join: async (invitation, options) => {
      const [{ joinInTab }, world] = await Promise.all([joining(), environment(options)]);
      const session = watched(joinInTab(world, invitation, options), null);
      return options.watch ? session : counted(session, world, options);
    },
    plan: plannerInTab(),
    look: (invitation) => lookAt(door, invitation),
    warm: ({ model }) => door.warmDevice(embeddedModel(model)),
    keptSessions: async () => {
      if (!keepsAnything()) return [];
      await settled();
      // A private window has the storage's functions, and refuses each of them.
      return ask((api) => api.keptSessions()).catch(() => []);
    },
    resume: async (id) => {
      await settled();
      await refuseOpen(id);
      const [{ resumeSession }, world] = await Promise.all([resuming(), environment({})]);
      return own(await resumeSession(world, await ask((api) => api.keptCheckpoint(id)), null));
    },
    resumeFile: async (bytes, options) => {
      await settled();
      const [{ resumeSession }, world] = await Promise.all([resuming(), environment(options)]);
      return own(await resumeSession(world, { bytes, key: null }, options, refuseOpen));
    },
    forget: async (id) => {
      await settled();
      await refuseOpen(id);
      await ask((api) => api.forget(id));
    },
    deleteAll: async () => {
      await settled();
      await refuseAnyOpen();
      const deleted = await ask((api) => api.deleteAll());
      return { ...deleted, bytes: deleted.bytes + deleteOwnStorage() + (await deleteKeptPage()) };
    },
    previewTable: (file) => previewApart(startHostWorker, file, 2),
    preflight: (source) => ask((api) => api.preflight(source, origin, claimBytes())),
    reachTask: (task) => ask((api) => api.reachTask(task)),
    keptModels: () => ask((api) => api.keptModels()),
    forgetModels: (name) => ask((api) => api.forgetModels(name)),
  };
}

/** The same world, whose workers have the files of a model that lies on this device. */
const withFolder = (world: SessionEnvironment, folder: readonly File[]): SessionEnvironment => ({
  ...world,
  startDeviceWorker: () => {
    const started = world.startDeviceWorker();
    void started.api.chunks.useFolder(folder);
    return started;
  },
  startHostWorker: (inherited) => {
    const started = world.startHostWorker(inherited);
    void started.api.useFolder(folder);
    return started;
  },
});

/** A hub's models are called OWNER/NAME: of those nothing is fetched before a person has joined. */
const embeddedModel = (name: string): string | null => (/^[\w-][\w.-]{0,99}$/.test(name) ? name : null);
