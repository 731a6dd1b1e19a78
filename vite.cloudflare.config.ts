import { defineConfig } from 'vite';

/** `--mode worker` or `--mode planner`: each is one file, since a Worker is one, without what only Node has. */
export default defineConfig(({ mode }) => ({
  publicDir: false,
  build: {
    outDir: 'out/cloudflare',
    emptyOutDir: false,
    copyPublicDir: false,
    target: 'es2022',
    minify: true,
    reportCompressedSize: false,
    lib: { entry: `signaling/cloudflare/${mode}.ts`, formats: ['es'], fileName: () => `${mode}.js` },
    rolldownOptions: { output: { codeSplitting: false } },
  },
}));
