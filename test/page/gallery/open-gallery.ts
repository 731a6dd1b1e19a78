import { createServer } from 'vite';

/** The development server with the gallery; `address` of a state, such as `training-host` or `start#room=abc234`. */
export async function openGallery(): Promise<{ address(state: string): string; close(): Promise<void> }> {
  const server = await createServer({
    logLevel: 'error',
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
    close: () => server.close(),
  };
}
