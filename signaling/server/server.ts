import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { DEFAULT_LIMITS, type Limits } from '../connection/bounds/limits.ts';
import { ALL_CODES, type CodeShare } from '../connection/core.ts';
import { newCore } from '../connection/step.ts';
import type { IceServer } from '../protocol/messages.ts';
import { visible } from '../protocol/text/visible.ts';
import { pathOf } from './addresses.ts';
import { CoreHome } from './core-home.ts';
import { type Gate, makeGate, readTarget } from './gate.ts';
import { newMetrics } from './metrics.ts';
import { makePage, type PageOptions } from './page.ts';
import { PlanService, type RoomPlanner } from './plan-service.ts';
import { PROCESS_SECRET } from './server-secret.ts';
import { onePort } from './tls/one-port.ts';
import { renewing } from './tls/renewing.ts';
import { EventStreams } from './transport/event-streams.ts';
import { guardSockets, IDLE_MS, SERVER_TIMES } from './transport/socket-guard.ts';
import { SWEEP_MS, UnfinishedMessages } from './transport/unfinished.ts';
import { refuseUpgrade, WebSockets } from './transport/websockets.ts';
import type { Caller } from './transport/wire.ts';

export interface ServerOptions extends PageOptions {
  readonly port: number;
  /** ICE servers for browsers behind NAT. Empty by default: nothing here reaches a public server unless asked to. */
  readonly iceServers: readonly IceServer[];
  /** What a TURN server among them shares with this one, for credentials that are good for a while. */
  readonly turnSecret?: string | null;
  readonly log: (line: string) => void;
  /** Who makes the rooms' plans; the project's planner on a thread of its own unless given. */
  readonly planner?: RoomPlanner;
  /** In place of `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits>;
  /** 32 bytes; a server that is started again with the same knows its rooms' hosts again. One of this process unless given. */
  readonly secret?: Uint8Array;
  /** Origins of pages elsewhere that may connect. */
  readonly allowOrigins?: readonly string[];
  /** The codes that this process makes, of several behind one proxy; all unless given. */
  readonly share?: CodeShare;
  /** Whether to believe X-Forwarded-For. */
  readonly trustProxy?: boolean;
}

export interface RunningServer {
  readonly port: number;
  /** Sends what is under way, tells everybody that the server goes, and ends. */
  close(): Promise<void>;
}

/** The paths that pages and headless devices use; all on one port. PeerJS's client adds a last part of its own to the second. */
const ROOM_PATH = '/room';
const INTRODUCTION_PATH = '/peer/peerjs';
/** Sockets that are no connections to rooms: requests for files. */
const SPARE_CONNECTIONS = 2000;

/** A TLS handshake that is not over by then is broken off. */
const HANDSHAKE_MS = 10_000;

/** Starts the one process: page, models, rooms, introductions, planner. Rejects when the port cannot be had. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { trustProxy = false, allowOrigins = [], turnSecret = null, publicUrl = null, certificates = null } = options;
  const { share = ALL_CODES } = options;
  const log = (line: string): void => options.log(visible(line));
  const gate = makeGate({
    host: options.host,
    allowOrigins: publicUrl === null ? allowOrigins : [...allowOrigins, publicUrl],
    trustProxy,
  });
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const secrets = { server: options.secret ?? PROCESS_SECRET, turn: turnSecret };
  const metrics = newMetrics(() => rooms.counts);
  const planner = metrics.timed(options.planner ?? new PlanService());
  const rooms = new CoreHome(newCore(limits, secrets, options.iceServers, share), planner, log);
  const unfinished = new UnfinishedMessages();
  const sweeping = setInterval(() => unfinished.sweep(Date.now()), SWEEP_MS).unref();
  const sockets = new WebSockets(rooms, unfinished);
  const streams = new EventStreams({ home: rooms, gate, limits, unfinished, share });
  const page = makePage(options, { gate, metrics, streams: streams.routes, port: () => portOf(server) });
  const plain = createServer(SERVER_TIMES, page);
  const secure =
    certificates === null ? null : createSecureServer({ ...SERVER_TIMES, handshakeTimeout: HANDSHAKE_MS }, page);
  const renewal = certificates === null || secure === null ? null : await renewing(secure, certificates, log);
  const server: Server = secure === null ? plain : onePort(plain, secure);
  server.maxConnections = limits.connections + SPARE_CONNECTIONS;
  guardSockets(server, trustProxy ? null : limits.connectionsOfAddress);
  for (const one of [plain, secure]) one?.setTimeout(IDLE_MS);

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    try {
      const [status, target] = judgeUpgrade(request, pathOf(publicUrl), gate, (address) => rooms.refuses(address));
      if (target === null) {
        refuseUpgrade(socket, status);
        return;
      }
      sockets.accept(request, socket, head, target);
    } catch (error) {
      log(`A connection could not be opened: ${messageOf(error)}`);
      socket.destroy();
    }
  };
  for (const one of [plain, secure]) one?.on('upgrade', upgrade);

  await listen(server, options.port, options.host);
  server.on('error', (error) => log(`The server met an error: ${messageOf(error)}`));
  return {
    port: portOf(server),
    async close() {
      // Nobody new from here on: whoever is told to come back shall find the next process.
      const closed = new Promise((resolve) => server.close(resolve));
      streams.close();
      await sockets.drain();
      rooms.close();
      clearInterval(sweeping);
      renewal?.stop();
      for (const one of [plain, secure]) one?.closeAllConnections();
      await closed;
      await planner.close();
    },
  };
}

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What becomes of a wish for a WebSocket: a status that refuses it, or whose it is. */
function judgeUpgrade(
  request: IncomingMessage,
  prefix: string,
  gate: Gate,
  refuses: (address: string) => string | null,
): [status: number, target: Caller | null] {
  const target = readTarget(request.url);
  if (target === null) return [400, null];
  if (gate.refusesHost(request) !== null || gate.refusesOrigin(request) !== null) return [403, null];
  const { query } = target;
  const path = target.path.startsWith(`${prefix}/`) ? target.path.slice(prefix.length) : target.path;
  if (path !== ROOM_PATH && path !== INTRODUCTION_PATH) return [404, null];
  const address = gate.addressOf(request);
  if (refuses(address) !== null) return [429, null];
  const [id, token] = [query.get('id') ?? '', query.get('token') ?? ''];
  return [
    101,
    { address, introduction: path === ROOM_PATH ? null : { id: id.slice(0, 64), token: token.slice(0, 64) } },
  ];
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? `Port ${port} is in use. Choose another one with --port.`
          : `The server cannot listen on ${host}:${port}: ${error.message}.`;
      reject(new Error(why));
    });
    server.listen(port, host, () => resolve());
  });
}
