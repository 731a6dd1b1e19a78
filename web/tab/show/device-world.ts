import { type DataConnection, Peer } from 'peerjs';
import type { DeviceWorkerApi } from '../../../worker/api/device-api.ts';
import type { LinkChannel } from '../../session/links/channel-link.ts';
import { peerOptions } from '../../session/links/peer-options.ts';
import { peerOver } from '../../session/transport/peer-over.ts';
import { Emitter } from '../../session/world/emitter.ts';
import type { SessionEnvironment, WorkerHandle } from '../../session/world/environment.ts';
import type { PageHome } from '../home/page-home.ts';
import { claimBytes } from '../memory/crumbs.ts';
import { startDeviceWorker, startHostWorker } from '../workers.ts';
import { GatedChannel } from './gated-channel.ts';
import type { Way } from './way.ts';

/** Others notice by silence that a device was cut off; its connections are closed when they have. */
const CUT_OFF_MS = 20_000;

export interface DeviceWorld {
  readonly environment: SessionEnvironment;
  /** The screen is off, or on again. */
  hide(hidden: boolean): void;
}

/**
 * The world of one device among several in a page: its own workers and real WebRTC, over its own way; the room is `home`'s. Nothing is kept.
 * `address` is where the room believes it to come from; `change` may put something between the session and the device's worker.
 */
export function deviceWorld(
  origin: string,
  home: PageHome,
  address: string,
  way: Way,
  change: (worker: WorkerHandle<DeviceWorkerApi>) => WorkerHandle<DeviceWorkerApi>,
): DeviceWorld {
  const hidden = new Emitter<boolean>();
  const openSocket = (url: string) => {
    const pipe = home.open(url, address, way);
    // The operating system closes the connections of a program that is gone.
    way.onCut(() => pipe.close());
    return pipe;
  };
  return {
    environment: {
      kind: 'tab',
      origin,
      openSocket,
      createPeer: (introduction) =>
        over(
          way,
          peerOver(openSocket, () => new Peer(introduction.id, peerOptions(origin, introduction))),
        ),
      startDeviceWorker: () => change(startDeviceWorker()),
      startHostWorker,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      memoryLimitBytes: claimBytes(),
      nowMs: () => Date.now(),
      keep: null,
      seats: null,
      runLog: null,
      onHidden: hidden.on,
      onLeaving: () => () => undefined,
    },
    hide: hidden.emit.bind(hidden),
  };
}

/** The channels of a PeerJS client over a way. Who is cut off closes nothing that others would notice. */
function over(way: Way, peer: Peer): Peer {
  const gate = (connection: DataConnection): void => {
    const pc = connection.peerConnection;
    const create = pc.createDataChannel.bind(pc);
    const gated = (label: string, options?: RTCDataChannelInit): LinkChannel => {
      const channel = create(label, options);
      return new GatedChannel(channel, way);
    };
    Reflect.set(pc, 'createDataChannel', gated);
    const close = connection.close.bind(connection);
    connection.close = (...options) => later(() => close(...options));
  };
  const later = (act: () => void): void => {
    if (way.isCut) setTimeout(act, CUT_OFF_MS);
    else act();
  };
  peer.on('connection', gate);
  const connect = peer.connect.bind(peer);
  peer.connect = (...to) => {
    const connection = connect(...to);
    gate(connection);
    return connection;
  };
  const destroy = peer.destroy.bind(peer);
  peer.destroy = () => later(destroy);
  return peer;
}
