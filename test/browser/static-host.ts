import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

/**
 * A host of plain files, as bare as they come: no header but the type and the length, no ranges, no sockets, nothing but files of `folder`, below
 * `path`.
 */
export async function staticHost(
  folder: string,
  path: string,
  port = 0,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const asked = normalize(decodeURIComponent((request.url ?? '/').split('?')[0]!));
    const inside = asked.startsWith(path) ? asked.slice(path.length) : null;
    const name = inside === null || inside.endsWith('/') || inside === '' ? `${inside ?? ''}index.html` : inside;
    try {
      if (inside === null) throw new Error('elsewhere');
      const bytes = await readFile(join(folder, name));
      response.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream' });
      response.end(request.method === 'HEAD' ? undefined : bytes);
    } catch {
      response.writeHead(404, { 'Content-Type': 'text/plain' });
      response.end('Not found.');
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const listens = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${listens}${path}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
