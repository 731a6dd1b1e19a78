import { JoinSession } from '../session/join-session.ts';
import { NamesSeen } from '../session/view/names-seen.ts';
import type { InvitedTo, JoinOptions } from '../session/view/view.ts';
import type { SessionEnvironment } from '../session/world/environment.ts';

/**
 * A device in somebody's session. What it would need as its host is fetched when the training begins, not to join: by then the plan is made,
 * and the server that has the code is still there.
 */
export function joinInTab(environment: SessionEnvironment, invitation: InvitedTo, options: JoinOptions): JoinSession {
  const session = new JoinSession(environment, invitation, options, null);
  const names = new NamesSeen();
  session.subscribe(({ room }) => names.note(room));
  const members = () => import('../session/members.ts');
  const off = session.subscribe(({ room, ended }) => {
    if (ended === null && room?.phase !== 'training') return;
    off();
    // One that fails is tried again when it is needed.
    if (ended === null) void members().catch(() => undefined);
  });
  session.onOffer((offer) => {
    void members().then(
      ({ takeOver }) => takeOver(environment, session, offer, names),
      () => offer.decline(),
    );
  });
  return session;
}
