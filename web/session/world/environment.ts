import type { Peer } from 'peerjs';
import type { RoomIntroduction } from '../../../signaling/protocol/messages.ts';
import type { EngineChoice } from '../../../signaling/protocol/words/engines.ts';
import type { DeviceWorkerApi } from '../../../worker/api/device-api.ts';
import type { HostWorkerApi } from '../../../worker/api/host-api.ts';
import type { ControlSocket } from '../transport/control-socket.ts';
import type { Listeners } from './emitter.ts';

/** A worker that was started for this session alone. */
export interface WorkerHandle<Api> {
  readonly api: Api;
  terminate(): void;
}

/** Where a run's log is written while it runs. What cannot be written stays owed; `add` then throws, and is called again with what follows. */
export interface RunLogSink {
  /** Once, with the lines of before of a session that is gone on with. */
  begin(lines: readonly string[]): void;
  add(lines: readonly string[]): void;
}

/** Keeps one text over a reload of the tab, for this tab alone; where the browser keeps nothing, nothing is kept. */
export interface SeatStore {
  put(text: string): void;
  /** What was put last; afterwards there is nothing. */
  take(): string | null;
}

/** Everything of the outside world that a session touches; a browser tab and a Node process bring their own. */
export interface SessionEnvironment {
  readonly kind: 'tab' | 'headless';
  /** Address of the server, without a slash at the end. */
  readonly origin: string;
  /** A connection to the server, at a WebSocket's address. */
  openSocket(url: string): ControlSocket;
  /** A PeerJS client that goes by what the room gave it. It is not open yet. */
  createPeer(introduction: RoomIntroduction): Peer;
  startDeviceWorker(): WorkerHandle<DeviceWorkerApi>;
  /** `inherited`: what it opens was another device's choice, so it reads nothing that only this device can reach. */
  startHostWorker(inherited?: boolean): WorkerHandle<HostWorkerApi>;
  randomBytes(length: number): Uint8Array;
  /** The most memory that training may take on this device. */
  readonly memoryLimitBytes: number;
  /** What the device's person wants it to compute on; whatever is quicker where it is not said. */
  readonly engine?: EngineChoice;
  /** The time of day, in milliseconds since 1970. */
  nowMs(): number;
  /**
   * Keeps a session's state where it outlives this process or tab, in place of what was kept of it before; `note` is the session's part.
   * Its key is kept beside it, where only this device's person can read it. Rejects with a sentence. Null where nothing is kept.
   */
  readonly keep:
    | ((
        host: HostWorkerApi,
        session: { readonly id: string; readonly deviceName: string; readonly key: string },
        note: string,
      ) => Promise<unknown>)
    | null;
  /** Null where nothing is ever loaded again. */
  readonly seats: SeatStore | null;
  /** Where the run's log is written as it goes; null where it stays in the session. */
  readonly runLog: RunLogSink | null;
  /** True while the tab is in the background. */
  readonly onHidden: Listeners<boolean>;
  /** Connections may be dead without having said so: the device slept, or has another network. Absent where nobody tells. */
  readonly onMoved?: Listeners<void>;
  /** The tab is about to go away. */
  readonly onLeaving: Listeners<void>;
}
