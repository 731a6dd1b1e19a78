import { createServer } from 'node:http';
import express from 'express';
import { ExpressPeerServer } from 'peer';
import { WebSocketServer } from 'ws';

/** A page and a PeerServer on one loopback port: what the browsers themselves are tried with, without Tabloom's own server. */
export interface LocalServer {
  readonly port: number;
  readonly url: string;
  /** PeerServer's path. */
  readonly peerPath: string;
}

const PEER_PATH = '/peer';

/** Serves `pages` (path to HTML) and `files` (path to a file on disk) for the time of `body`. */
export async function withLocalServer<T>(
  content: { readonly pages: Readonly<Record<string, string>>; readonly files: Readonly<Record<string, string>> },
  body: (server: LocalServer) => Promise<T>,
): Promise<T> {
  const app = express();
  for (const [path, html] of Object.entries(content.pages)) {
    app.get(path, (_request, response) => void response.type('html').send(html));
  }
  for (const [path, file] of Object.entries(content.files)) {
    app.get(path, (_request, response) => response.sendFile(file));
  }
  const server = createServer(app);
  const sockets = new WebSocketServer({ noServer: true });
  app.use(PEER_PATH, ExpressPeerServer(server, { path: '/', createWebSocketServer: () => sockets }));
  server.on('upgrade', (request, socket, head) => {
    // PeerServer left to itself answers 400 to the WebSockets of everyone else on its port, so paths are told apart here.
    if (request.url?.startsWith(`${PEER_PATH}/`)) {
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
    } else {
      socket.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return await body({ port, url: `http://127.0.0.1:${port}`, peerPath: PEER_PATH });
  } finally {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
