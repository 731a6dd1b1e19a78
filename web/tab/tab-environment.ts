import { Peer } from 'peerjs';
import { peerOptions } from '../session/links/peer-options.ts';
import { peerOver } from '../session/transport/peer-over.ts';
import type { SeatStore, SessionEnvironment } from '../session/world/environment.ts';
import { carefulWorker } from './memory/careful-worker.ts';
import { claimBytes, drop, wentWell } from './memory/crumbs.ts';
import { keepsAnything } from './own-storage.ts';
import { ownPhone } from './phone/phone.ts';
import type { TabDoor } from './tab-door.ts';
import { startHostWorker } from './workers.ts';

const SEAT_KEY = 'tabloom.seat';

/** Storage may be refused (private windows, blocked cookies); then a tab that is loaded again is a new device. */
const SEATS: SeatStore = {
  put: (text) => {
    try {
      sessionStorage.setItem(SEAT_KEY, text);
    } catch {
      return;
    }
  },
  take: () => {
    try {
      const text = sessionStorage.getItem(SEAT_KEY);
      sessionStorage.removeItem(SEAT_KEY);
      return text;
    } catch {
      return null;
    }
  },
};

/** The real world for sessions in a browser tab, behind a door that may have been open before them. */
export function tabEnvironment(door: TabDoor): SessionEnvironment {
  const { origin, openSocket, startDeviceWorker } = door;
  return {
    kind: 'tab',
    origin,
    openSocket,
    createPeer: (introduction) =>
      peerOver(openSocket, () => new Peer(introduction.id, peerOptions(origin, introduction))),
    startDeviceWorker: () => carefulWorker(startDeviceWorker(), { drop, wentWell }),
    startHostWorker,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    get memoryLimitBytes() {
      return claimBytes();
    },
    nowMs: () => Date.now(),
    keep: keepsAnything() ? (host, ...kept) => host.keep(...kept) : null,
    seats: SEATS,
    runLog: null,
    onHidden: ownPhone().onHidden,
    onMoved: ownPhone().onMoved,
    onLeaving: (listener) => listenTo(window, 'pagehide', () => listener()),
  };
}

function listenTo(target: EventTarget, type: string, listener: () => void): () => void {
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}
