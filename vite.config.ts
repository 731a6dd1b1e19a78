import { constants } from 'node:zlib';
import { defineConfig } from 'vite';
import { compression, defineAlgorithm } from 'vite-plugin-compression2';

/** The last tenth of a WASM file takes Brotli a minute; TABLOOM_BROTLI=11 spends it, for a build that is made once and fetched often. */
const WASM_QUALITY = Number(process.env.TABLOOM_BROTLI ?? 9);
/** As far back as a browser's decoder looks. */
const WINDOW_BITS = 24;

const brotli = (quality: number) =>
  defineAlgorithm('brotliCompress', {
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS },
  });
const gzip = (level: number) => defineAlgorithm('gzip', { level });

export default defineConfig({
  // The page may lie below a path.
  base: './',
  build: { outDir: 'dist', target: 'es2022' },
  plugins: [
    compression({
      include: /\.(html|css|js|svg|webmanifest)$/,
      threshold: 1000,
      algorithms: [brotli(11), gzip(9)],
      logLevel: 'silent',
    }),
    compression({ include: /\.wasm$/, algorithms: [brotli(WASM_QUALITY), gzip(6)], logLevel: 'silent' }),
  ],
  worker: { format: 'es' },
  // onnxruntime-web finds its WASM files beside its own module; pre-bundling would move them apart.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
});
