import { defineConfig } from 'vite';

export default defineConfig({
  build: { outDir: 'dist', target: 'es2022' },
  worker: { format: 'es' },
  // onnxruntime-web finds its WASM files beside its own module; pre-bundling would move them apart.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
});
