import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';

/** The first byte of a TLS handshake: a record of type 22 (RFC 8446, 5.1). No HTTP request begins with it. */
const HANDSHAKE = 22;
/** A connection that has said nothing by then is closed. */
const FIRST_BYTE_MS = 10_000;

/** One port for both: what begins with a TLS handshake is `secure`'s, everything else `plain`'s. */
export function onePort(plain: HttpServer, secure: HttpsServer): Server {
  const server = createServer((socket) => {
    socket.setTimeout(FIRST_BYTE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('readable', () => hand(socket, plain, secure));
  });
  // Node counts a server's connections, and the time that their requests take, from when it listens; these two never do themselves.
  server.once('listening', () => {
    for (const one of [plain, secure]) one.emit('listening');
  });
  server.once('close', () => {
    for (const one of [plain, secure]) one.close();
  });
  return server;
}

function hand(socket: Socket, plain: HttpServer, secure: HttpsServer): void {
  const first: unknown = socket.read(1);
  // Null at the end of a connection that said nothing.
  if (!Buffer.isBuffer(first)) return;
  socket.setTimeout(0);
  socket.removeAllListeners('timeout');
  socket.unshift(first);
  (first[0] === HANDSHAKE ? secure : plain).emit('connection', socket);
}
