import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { installPeers, PEER_FOLDER } from '../engine/installed-peers.ts';

/**
 * Makes the GPU pack: a folder, and the same as one archive, that a bare x86-64 Linux machine with a Vulkan driver runs with `./run`. In it are
 * this Node, Dawn, the bench and its peers as bundles, ONNX Runtime, the embedded model, and golden files.
 */
const MOST_BYTES = 60 * 2 ** 20;
const { values: options } = parseArgs({ options: { out: { type: 'string', default: 'out/tabloom-gpu' } } });
const project = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const pack = options.out;
const into = (path: string): string => {
  const whole = join(pack, path);
  mkdirSync(dirname(whole), { recursive: true });
  return whole;
};

if (process.platform !== 'linux' || process.arch !== 'x64')
  throw new Error('The pack is made on x86-64 Linux, whose Node goes into it.');
rmSync(pack, { recursive: true, force: true });

copyFileSync(process.execPath, into('node'));
chmodSync(into('node'), 0o755);
for (const file of ['index.js', 'package.json', 'LICENSE.md', 'dist/linux-x64/dawn.node'])
  copyFileSync(project(`node_modules/webgpu/${file}`), into(`node_modules/webgpu/${file}`));
const ORT = [
  ...['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'],
  ...['ort.webgpu.bundle.min.mjs', 'ort-wasm-simd-threaded.asyncify.mjs', 'ort-wasm-simd-threaded.asyncify.wasm'],
];
for (const file of ['package.json', ...ORT.map((name) => `dist/${name}`)])
  copyFileSync(project(`node_modules/onnxruntime-web/${file}`), into(`node_modules/onnxruntime-web/${file}`));
for (const file of ['config.json', 'model.safetensors'])
  copyFileSync(project(`models/roberta-mini/${file}`), into(`models/roberta-mini/${file}`));
const golden = existsSync(project('../shared/golden')) ? project('../shared/golden') : project('test/fixtures/golden');
for (const file of readdirSync(golden).filter((name) => name.endsWith('.safetensors')))
  copyFileSync(join(golden, file), into(`golden/${file}`));
copyFileSync(project('test/bench/engine/torch_step.py'), into('test/bench/engine/torch_step.py'));
copyFileSync(project('LICENSE'), into('LICENSE'));

/** Everything but what has binaries of its own in one file. The bench finds its files from where it lies, as in the project. */
async function bundle(root: string, entry: string, file: string, external: (string | RegExp)[]): Promise<void> {
  await build({
    ...{ configFile: false, root, logLevel: 'error' },
    build: {
      ...{ ssr: entry, outDir: dirname(resolve(into(file))), emptyOutDir: false, target: 'node20', minify: true },
      rolldownOptions: { external, output: { entryFileNames: basename(file), codeSplitting: false } },
    },
    ssr: { noExternal: true },
  });
}
await bundle(project('.'), project('test/bench/pack/run.ts'), 'test/bench/engine/run.mjs', [
  'webgpu',
  /^onnxruntime-web/,
]);

installPeers();
const entry = (name: string, text: string): string => {
  const path = join(PEER_FOLDER, name);
  writeFileSync(path, text);
  return path;
};
const tfjs = entry(
  'tfjs-entry.mjs',
  "import * as tf from '@tensorflow/tfjs';\nimport '@tensorflow/tfjs-backend-webgpu';\nexport default tf;\n",
);
await bundle(PEER_FOLDER, tfjs, 'peers/tfjs.mjs', []);
await bundle(PEER_FOLDER, entry('jax-entry.mjs', "export * from '@jax-js/jax';\n"), 'peers/jax.mjs', []);

// For machines that lack them; what is there comes first, since drivers are made for it.
const ldconfig = execFileSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' }).split('\n');
for (const name of ['libstdc++.so.6', 'libgcc_s.so.1', 'libvulkan.so.1']) {
  const line = ldconfig.find((one) => one.trim().startsWith(`${name} `) && one.includes('x86-64'));
  const path = line?.split('=> ')[1];
  if (path !== undefined) copyFileSync(path, into(`lib/${name}`));
}
writeFileSync(
  into('run'),
  `#!/bin/sh
# ./run [--small] [--seconds N] [--out FILE]: a table on the terminal, JSON in FILE (tabloom-gpu.json).
here=$(cd "\${0%/*}" && pwd)
known=$(/sbin/ldconfig -p 2>/dev/null)
for name in libstdc++.so.6 libgcc_s.so.1 libvulkan.so.1; do
  case "$known" in *"$name "*) ;; *)
    mkdir -p "$here/lacking" && cp "$here/lib/$name" "$here/lacking/" 2>/dev/null
    export LD_LIBRARY_PATH="$here/lacking\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" ;;
  esac
done
exec "$here/node" "$here/test/bench/engine/run.mjs" "$@"
`,
);
chmodSync(into('run'), 0o755);

const archive = `${pack}.tar.gz`;
execFileSync('tar', ['-C', dirname(pack), '-cf', `${pack}.tar`, basename(pack)]);
execFileSync('gzip', ['-9', '-n', '-f', `${pack}.tar`]);
const { size } = statSync(archive);
process.stdout.write(`${archive}: ${(size / 2 ** 20).toFixed(1)} MiB\n`);
if (size > MOST_BYTES) throw new Error(`The pack may have ${MOST_BYTES / 2 ** 20} MiB.`);
