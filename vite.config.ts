import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { constants } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
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

/** What a page reads of an embedded model. */
const MODEL_FILES = ['config.json', 'tokenizer.json', 'model.safetensors'];

/** The embedded models beside the page, so that a host of plain files has all that the demonstration needs. */
const embeddedModels = (): Plugin => ({
  name: 'tabloom-embedded-models',
  apply: 'build',
  writeBundle({ dir }) {
    for (const model of readdirSync('models')) {
      const folder = join(dir ?? 'dist', 'models', model);
      mkdirSync(folder, { recursive: true });
      for (const file of MODEL_FILES) copyFileSync(join('models', model, file), join(folder, file));
    }
  },
});

export default defineConfig({
  // The page may lie below a path.
  base: './',
  build: { outDir: 'dist', target: 'es2022' },
  plugins: [
    embeddedModels(),
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
