import type { Activity, DeviceStatus, RoomView, RoundReport, ScoreReport } from '../../signaling/protocol/room-view.ts';
import type { Policy } from '../../signaling/protocol/settings.ts';
import type { ExportedFile, HostRequest, LoadProgress } from '../../worker/rpc.ts';

/** A sentence for the person, in the order they came; `problem` needs attention, `news` does not. */
export interface Notice {
  readonly id: number;
  readonly kind: 'news' | 'problem';
  readonly sentence: string;
  readonly elapsedSeconds: number;
}

/** Everything a page (or a terminal) shows of a session; replaced whole by a pure function on every event. */
export interface SessionView {
  readonly role: 'host' | 'device' | 'watcher';
  /** This tab's device id, to find itself in `room.devices`. */
  readonly self: string;
  readonly server: 'connecting' | 'connected' | 'reconnecting' | 'closed';
  /** The host's preparation (model config, tokenizer, data) before the room exists; null once done or for other roles. */
  readonly opening: LoadProgress | null;
  /** Null until the server answered. */
  readonly room: RoomView | null;
  /** This tab's own state; the room's view of it follows a little later. */
  readonly status: DeviceStatus;
  readonly rounds: readonly RoundReport[];
  readonly scores: readonly ScoreReport[];
  readonly activity: Activity | null;
  /** An evaluation that is running, in dev examples; null otherwise. Known on the host only. */
  readonly evaluation: { readonly done: number; readonly total: number } | null;
  readonly notices: readonly Notice[];
  /** Set when the session is over for this tab: why, in one sentence. */
  readonly ended: string | null;
}

/** What a person can do, whatever their role. */
export interface Session {
  readonly view: SessionView;
  /** Called after each change of `view`; returns the function that ends the subscription. */
  subscribe(listener: (view: SessionView) => void): () => void;
  leave(): void;
}

export interface HostSession extends Session {
  /** Starts or goes on with the rounds. Allowed as soon as one device is ready. */
  start(): void;
  pause(): void;
  /** Ends training after the current round and evaluates. */
  finish(): void;
  setPolicy(policy: Policy): void;
  /** The adapter as it is now, as PEFT saves it. */
  exportAdapter(): Promise<readonly ExportedFile[]>;
}

/** How the page makes sessions; web/page gets these two functions and nothing else of the network. */
export interface SessionFactory {
  host(request: HostRequest, options: { name: string; policy: Policy; slowdown: number }): HostSession;
  join(room: string, options: { name: string; watch: boolean; slowdown: number }): Session;
}
