import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import express from 'express';

export interface RangeServer {
  /** Without a slash at the end. */
  readonly url: string;
  /** Every request so far: its path and the `Range` header that it came with. */
  readonly requests: { readonly path: string; readonly range: string | undefined }[];
  /** Bytes of all answers' bodies. */
  sentBytes(): number;
  close(): Promise<void>;
}

/** Serves a folder on loopback with range requests, as a hub does. */
export async function serveFolder(folder: URL): Promise<RangeServer> {
  const requests: RangeServer['requests'] = [];
  let sent = 0;
  const app = express();
  app.use((request, response, next) => {
    requests.push({ path: request.path, range: request.headers.range });
    response.on('finish', () => {
      sent += Number(response.getHeader('content-length') ?? 0);
    });
    next();
  });
  app.use(express.static(fileURLToPath(folder), { cacheControl: false }));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no address.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    sentBytes: () => sent,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
