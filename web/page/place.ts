import type { FunctionComponent } from 'preact';
import type { HostSession, JoinedSession, Session } from '../session/view/view.ts';
import type { Demonstration } from '../tab/show/demonstration.ts';
import type { SessionScreen } from './session/session.tsx';

/** The demonstration's code. */
export interface Shown {
  readonly Screen: FunctionComponent<{ show: Demonstration; onLeave: () => void }>;
  begin(): Demonstration;
}

/** Which screen there is, and what it shows. */
export type Place =
  | { readonly kind: 'start' }
  | { readonly kind: 'show'; readonly Screen: Shown['Screen']; readonly show: Demonstration }
  /** `code` as it stood in the link, right or wrong. */
  | { readonly kind: 'invited'; readonly code: string }
  | {
      readonly kind: 'session';
      readonly Screen: typeof SessionScreen;
      readonly session: Session;
      readonly host: HostSession | null;
      readonly joined: JoinedSession | null;
      /** Of a session that was joined, as it was seen from outside. */
      readonly hostName: string | null;
    };
