import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Proxy {
  readonly origin: string;
  /** Wishes for a WebSocket that it did not pass on. */
  readonly wishes: () => number;
  close(): void;
}

/** A proxy in front of a server on this machine that passes everything on but WebSockets: those it refuses, or never answers. */
export async function withoutSockets(port: number, fate: 'refused' | 'swallowed'): Promise<Proxy> {
  let wishes = 0;
  const proxy = createServer((asked, answer) => {
    const { method, url: path, headers } = asked;
    const passed = request({ host: '127.0.0.1', port, method, path, headers }, (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers);
      given.pipe(answer);
      given.on('error', () => answer.destroy());
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  proxy.on('upgrade', (_asked, socket) => {
    wishes += 1;
    socket.on('error', () => socket.destroy());
    if (fate === 'refused') socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    wishes: () => wishes,
    close: () => {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
