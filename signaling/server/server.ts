import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import express from 'express';
import { ExpressPeerServer } from 'peer';
import { WebSocketServer } from 'ws';
import { MAX_CONTROL_CHARACTERS } from '../protocol/limits.ts';
import { lanAddresses } from './addresses.ts';
import { PlanService, type RoomPlanner } from './plan-service.ts';
import { RoomSockets } from './room-sockets.ts';

export interface ServerOptions {
  readonly port: number;
  /** Interface to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for phones on the same network. */
  readonly host: string;
  /** Folder of the built page; null serves no page (headless sessions only). */
  readonly pageFolder: string | null;
  /** Folder whose subfolders are embedded models. */
  readonly modelsFolder: string;
  /** Folder laid out like the Hugging Face hub, served under `/hub/`; null serves none. */
  readonly hubFolder: string | null;
  /** Folder with the files of one model, served as a repository of that hub: `localModelId` says under which name. */
  readonly modelFolder?: string | null;
  /** ICE servers for browsers behind NAT. Empty by default: nothing here reaches a public server unless asked to. */
  readonly iceServers: readonly { readonly urls: string; readonly username?: string; readonly credential?: string }[];
  readonly log: (line: string) => void;
  /** Who makes the rooms' plans; the project's planner on a thread of its own unless given. */
  readonly planner?: RoomPlanner;
}

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

/** What a folder's model is called in sessions: `local/NAME`. */
export function localModelId(folder: string): string {
  return `local/${basename(resolve(folder)).replace(/[^\w.-]+/g, '-') || 'model'}`;
}

/** The paths that pages and headless devices use; all on one port. */
export const PEER_PATH = '/peer';
export const ROOM_PATH = '/room';

/** Starts the one process: page, models, PeerServer, rooms, planner. Rejects when the port cannot be had. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { modelFolder = null } = options;
  const app = express();
  app.disable('x-powered-by');
  // Isolation lets WASM use threads; `credentialless` still allows model downloads from a hub that sends no CORP header.
  app.use((_request, response, next) => {
    response.set({
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'credentialless',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    });
    next();
  });
  app.get('/config.json', (_request, response) => {
    response.json({
      iceServers: options.iceServers,
      hubPath: options.hubFolder === null && modelFolder === null ? null : '/hub',
      models: modelFolder === null ? [] : [localModelId(modelFolder)],
      addresses: lanAddresses(options.host, (server.address() as AddressInfo).port),
    });
  });
  const files = { fallthrough: false, dotfiles: 'ignore' as const, index: false as const };
  app.use('/models', express.static(options.modelsFolder, files));
  if (modelFolder !== null)
    app.use(`/hub/${localModelId(modelFolder)}/resolve/main`, express.static(modelFolder, files));
  if (options.hubFolder !== null) app.use('/hub', express.static(options.hubFolder, files));

  const server = createServer(app);
  let peerSockets: WebSocketServer | null = null;
  const peer = ExpressPeerServer(server, {
    path: '/',
    allow_discovery: false,
    // On a shared server PeerServer would answer 400 to every other WebSocket path, so upgrades are routed below.
    createWebSocketServer: () => {
      peerSockets = new WebSocketServer({ noServer: true, maxPayload: MAX_CONTROL_CHARACTERS });
      return peerSockets;
    },
  });
  peer.on('error', (error: Error) => options.log(`PeerServer: ${error.message}`));
  app.use(PEER_PATH, peer);
  if (options.pageFolder !== null) app.use(express.static(options.pageFolder, { dotfiles: 'ignore' }));
  app.use(
    (
      error: { status?: unknown },
      _request: express.Request,
      response: express.Response,
      _next: express.NextFunction,
    ) => {
      const status = typeof error.status === 'number' ? error.status : 500;
      response
        .status(status)
        .type('text/plain')
        .send(status === 404 ? 'Not found.' : 'This request cannot be answered.');
    },
  );

  const planner = options.planner ?? new PlanService();
  const rooms = new RoomSockets(planner, options.log);
  const roomSockets = new WebSocketServer({ noServer: true, maxPayload: 4 * MAX_CONTROL_CHARACTERS });
  roomSockets.on('connection', (socket, request: IncomingMessage) =>
    rooms.connect(socket, request.socket.remoteAddress ?? ''),
  );
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const path = new URL(request.url ?? '/', 'http://server').pathname;
    const target = path === ROOM_PATH ? roomSockets : path.startsWith(`${PEER_PATH}/`) ? peerSockets : null;
    if (target === null) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    target.handleUpgrade(request, socket, head, (client) => target.emit('connection', client, request));
  });

  await listen(server, options.port, options.host);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      rooms.close();
      for (const sockets of [roomSockets, peerSockets]) for (const client of sockets?.clients ?? []) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await planner.close();
    },
  };
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
