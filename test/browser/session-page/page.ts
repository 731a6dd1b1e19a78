import type { HostSession, SessionFactory, SessionView } from '../../../web/session/view/view.ts';
import { createSessionFactory } from '../../../web/tab/session-factory.ts';

declare global {
  /** The page's whole access to sessions, without a page around it. */
  var factory: SessionFactory;
  var session: HostSession;
  /** The first view of `session` that satisfies; rejects when the session ends before. */
  var until: (satisfied: (view: SessionView) => boolean) => Promise<SessionView>;
}

globalThis.until = (satisfied) =>
  new Promise((resolve, reject) => {
    const { session } = globalThis;
    const look = (view: SessionView): void => {
      if (satisfied(view)) resolve(view);
      else if (view.ended !== null) reject(new Error(view.ended));
      else return;
      off();
    };
    const off = session.subscribe(look);
    look(session.view);
  });
globalThis.factory = await createSessionFactory(location.origin, () => null);
