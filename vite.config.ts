import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, type InputType } from 'node:zlib';
import { build, defineConfig, type Plugin } from 'vite';
import { compression, defineAlgorithm } from 'vite-plugin-compression2';

/**
 * Of the WASM file that devices fetch. Brotli takes a quarter of a minute for it, once: what it made is kept. TABLOOM_BROTLI=11 spends a whole
 * minute for some kilobytes more.
 */
const WASM_QUALITY = Number(process.env.TABLOOM_BROTLI ?? 10);
/** Of the one that only comparisons load. */
const OTHER_WASM_QUALITY = 5;
const KEPT = 'node_modules/.cache/tabloom-brotli';
/** As far back as a browser's decoder looks. */
const WINDOW_BITS = 24;

/** What the first page and a session's screen are both made of. */
const SHARED =
  /node_modules[\\/](@?preact|valibot|@noble)|signaling[\\/]protocol[\\/](?!exchange|pipeline|plan|messages|words)|web[\\/]page[\\/](parts|cloth|glue)/;
/** What is asked of the server before there is a session. */
const DOOR =
  /web[\\/](tab[\\/](tab-door|workers|own-storage|memory|saves-data|plan-in-tab|session-lock)|session[\\/](look|links[\\/](room-client|link-address)|transport[\\/](?!peer-over)|world))/;

const brotli = (quality: number) =>
  defineAlgorithm('brotliCompress', {
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS },
  });
/** The same, kept from build to build under the content's hash. */
const keptBrotli = (quality: number) =>
  defineAlgorithm(async (content: InputType) => {
    const hash = createHash('sha256')
      .update(content instanceof ArrayBuffer ? new Uint8Array(content) : content)
      .digest('hex');
    const path = join(KEPT, `${hash.slice(0, 32)}-${quality}-${WINDOW_BITS}.br`);
    if (existsSync(path)) return readFileSync(path);
    const made = await promisify(brotliCompress)(content, {
      params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS },
    });
    mkdirSync(KEPT, { recursive: true });
    // Whole or not at all: two builds may run at a time.
    writeFileSync(`${path}.${process.pid}`, made);
    renameSync(`${path}.${process.pid}`, path);
    return made;
  }, {});
const gzip = (level: number) => defineAlgorithm('gzip', { level });

const ORT_WASM = /ort-wasm-simd-threaded(-[\w-]{8})?\.wasm$/;

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

/** Of the page's files: what nobody needs who trains without a network. */
const NEVER_OFFLINE = /\.(br|gz|map)$|ort\.webgpu|\.asyncify|^trust\.|^preview\.|^service-worker\.js$/;
/** What is fetched after all else: an engine, and the embedded models. */
const REST = /\.wasm$|^models\//;

/** The page as a device keeps it: a service worker that knows all files of this build, what is not named by its content by a hash of it. */
const offline = (): Plugin => ({
  name: 'tabloom-offline',
  apply: 'build',
  async writeBundle({ dir = 'dist' }) {
    const files = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .filter((url) => !NEVER_OFFLINE.test(url))
      .sort()
      .map((url) => ({
        url,
        revision: url.startsWith('assets/')
          ? null
          : createHash('sha256')
              .update(readFileSync(join(dir, url)))
              .digest('hex')
              .slice(0, 16),
      }));
    const shell = files.filter(({ url }) => !REST.test(url));
    const rest = files.filter(({ url }) => REST.test(url));
    await build({
      configFile: false,
      logLevel: 'error',
      publicDir: false,
      define: { PAGE_FILES: JSON.stringify({ shell, rest }) },
      build: {
        outDir: dir,
        emptyOutDir: false,
        target: 'es2022',
        rolldownOptions: {
          input: 'web/tab/offline/service-worker.ts',
          output: { format: 'iife', entryFileNames: 'service-worker.js' },
        },
      },
    });
  },
});

export default defineConfig({
  // The page may lie below a path.
  base: './',
  build: {
    outDir: 'dist',
    target: 'es2022',
    // Each file costs a request and a kilobyte of headers: what most of the page's parts share comes in one.
    rolldownOptions: {
      // A sentence of web/words stands where it is said, as if it had been written there: the page stays as small and as divided.
      optimization: { inlineConst: { mode: 'all', pass: 1 } },
      output: {
        codeSplitting: {
          groups: [
            { name: 'shared', test: SHARED },
            { name: 'door', test: DOOR },
          ],
        },
      },
    },
  },
  plugins: [
    embeddedModels(),
    offline(),
    compression({
      include: /\.(html|css|js|svg|webmanifest)$/,
      threshold: 1000,
      algorithms: [brotli(11), gzip(9)],
      logLevel: 'silent',
    }),
    compression({ include: /\.wasm$/, algorithms: [gzip(6)], logLevel: 'silent' }),
    ...[
      { include: ORT_WASM, quality: WASM_QUALITY },
      { include: /\.wasm$/, exclude: ORT_WASM, quality: OTHER_WASM_QUALITY },
    ].map(({ quality, ...files }) =>
      compression({ ...files, algorithms: [keptBrotli(quality)], filename: '[path][base].br', logLevel: 'silent' }),
    ),
  ],
  worker: { format: 'es' },
  // onnxruntime-web finds its WASM files beside its own module; pre-bundling would move them apart.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
});
