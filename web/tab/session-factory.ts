import type { HostWorkerApi } from '../../worker/api/host-api.ts';
import { lookAt } from '../session/look.ts';
import { joinSession, ownSession } from '../session/members.ts';
import { OwnSession } from '../session/own-session.ts';
import { resumeSession } from '../session/resume-session.ts';
import type { Session, SessionFactory } from '../session/view/view.ts';
import { previewApart } from '../session/world/table-apart.ts';
import { deleteOwnStorage } from './own-storage.ts';
import { plannerInTab } from './plan-in-tab.ts';
import { claim, refuseAnyOpen, refuseOpen } from './session-lock.ts';
import { type TabEnvironment, tabEnvironment } from './tab-environment.ts';
import { keptClaim } from './tab-memory.ts';

/** How a page in a browser tab makes sessions. `origin` is the server that the page came from. */
export function createSessionFactory(origin: string): SessionFactory {
  const environment = tabEnvironment(origin);
  /** For questions that need no session. */
  const ask = async <Answer>(question: (api: HostWorkerApi) => Promise<Answer>): Promise<Answer> => {
    const { api, terminate } = environment.startHostWorker();
    try {
      return await question(api);
    } finally {
      terminate();
    }
  };
  const running = new Set<OwnSession>();
  const claimed = (session: OwnSession): void => {
    running.add(session);
    const release = claim(session.view.self);
    const off = session.subscribe(({ ended }) => {
      if (ended === null) return;
      off();
      // What it kept last is on the disk then.
      void session.closed.then(() => {
        running.delete(session);
        void release.then((free) => free());
      });
    });
  };
  /** A device may become its session's host, which this browser then keeps, and a host a device. */
  const watched = <Kind extends Session>(session: Kind): Kind => {
    if (session instanceof OwnSession) claimed(session);
    session.onSuccessor?.((next) => watched(next.session));
    return session;
  };
  const settled = async (): Promise<void> => {
    await Promise.all([...running].map((session) => (session.view.ended === null ? null : session.closed)));
  };
  return {
    host: (request, options) => watched(ownSession(within(environment, options), request, options)),
    join: (invitation, options) => watched(joinSession(within(environment, options), invitation, options)),
    plan: plannerInTab(),
    look: (invitation) => lookAt(environment, invitation),
    warm: ({ model }) => environment.warmDevice(embeddedModel(model)),
    keptSessions: async () => {
      if (environment.keep === null) return [];
      await settled();
      // A private window has the storage's functions, and refuses each of them.
      return ask((api) => api.keptSessions()).catch(() => []);
    },
    resume: async (id) => {
      await settled();
      await refuseOpen(id);
      return watched(await resumeSession(environment, await ask((api) => api.keptCheckpoint(id)), null));
    },
    resumeFile: async (bytes, options) => {
      await settled();
      return watched(await resumeSession(within(environment, options), { bytes, key: null }, options, refuseOpen));
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
      return { ...deleted, bytes: deleted.bytes + deleteOwnStorage() };
    },
    previewTable: (file) => previewApart(() => environment.startHostWorker(), file, 2),
    preflight: (source) => ask((api) => api.preflight(source, origin, keptClaim())),
    reachTask: (task) => ask((api) => api.reachTask(task)),
    keptModels: () => ask((api) => api.keptModels()),
    forgetModels: (name) => ask((api) => api.forgetModels(name)),
  };
}

/** The same world, in which training may take no more than the person gives. */
const within = (environment: TabEnvironment, { memoryBytes }: { readonly memoryBytes?: number }): TabEnvironment =>
  memoryBytes === undefined
    ? environment
    : { ...environment, memoryLimitBytes: Math.min(memoryBytes, environment.memoryLimitBytes) };

/** A hub's models are called OWNER/NAME: of those nothing is fetched before a person has joined. */
const embeddedModel = (name: string): string | null => (/^[\w-][\w.-]{0,99}$/.test(name) ? name : null);
