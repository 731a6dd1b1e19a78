import type { LearnedState, PastState } from '../../worker/api/host-api.ts';
import type { Bequest } from './held/stand-by.ts';
import type { DeviceSeats } from './stages/device-seats.ts';
import type { InvitedTo, JoinOptions, SessionView } from './view/view.ts';
import type { Identity } from './world/identity.ts';

/** What a host leaves to this device, offered by the server: all that it takes to go on as host. */
export interface Offer {
  readonly term: number;
  readonly bequest: Bequest;
  readonly invitation: InvitedTo;
  readonly identity: Pick<Identity, 'id' | 'key'>;
  readonly options: Pick<JoinOptions, 'name' | 'slowdown'>;
  /** As it is now. */
  readonly view: SessionView;
  /** This device's seats: its model, and what it holds. Once another one has them, they are not closed with this one. */
  readonly seats: DeviceSeats;
  /** A copy of what has been learned, as this device holds it. */
  readonly state: () => Promise<LearnedState | null>;
  /** What it held after earlier rounds; it has that no longer afterwards. */
  readonly past: () => Promise<readonly PastState[]>;
  readonly decline: () => void;
  /** This device is host: its part as a device of another one is over. */
  readonly retire: () => void;
}
