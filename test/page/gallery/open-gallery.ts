import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/** The development server with the gallery; `address` of a state, such as `training-host` or `start#room=abc234`. */
export async function openGallery(): Promise<{ address(state: string): string; close(): Promise<void> }> {
  // Of this process: two that write one cache at a time spoil each other's page.
  const cacheDir = fileURLToPath(new URL(`../../../node_modules/.vite/gallery-${process.pid}`, import.meta.url));
  const server = await createServer({
    logLevel: 'error',
    cacheDir,
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
    optimizeDeps: {
      entries: [],
      include: ['preact', 'preact/hooks', 'preact/jsx-dev-runtime', '@preact/signals', 'uplot', 'lean-qr', 'valibot'],
    },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (typeof address !== 'object' || address === null) throw new Error('The development server has no port.');
  return {
    address(state) {
      const [name, fragment] = state.split('#');
      const hash = fragment === undefined ? '' : `#${fragment}`;
      return `http://127.0.0.1:${address.port}/test/page/gallery/index.html?state=${name}${hash}`;
    },
    close: async () => {
      await server.close();
      await rm(cacheDir, { recursive: true, force: true });
    },
  };
}
