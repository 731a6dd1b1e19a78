import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Peers } from './contenders.ts';

const VERSIONS = {
  '@tensorflow/tfjs': '4.22.0',
  '@tensorflow/tfjs-backend-wasm': '4.22.0',
  '@tensorflow/tfjs-backend-webgpu': '4.22.0',
  '@jax-js/jax': '0.1.25',
};
export const PEER_FOLDER = join(tmpdir(), 'tabloom-bench-peers');

/** Installs the peers into a folder outside the project, where they are not there yet. */
export function installPeers(): Peers {
  const manifest = join(PEER_FOLDER, 'package.json');
  mkdirSync(PEER_FOLDER, { recursive: true });
  if (!existsSync(manifest)) writeFileSync(manifest, JSON.stringify({ private: true }));
  const missing = Object.entries(VERSIONS).filter(([name]) => !existsSync(join(PEER_FOLDER, 'node_modules', name)));
  if (missing.length > 0) {
    const packages = missing.map(([name, version]) => `${name}@${version}`);
    execFileSync('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: PEER_FOLDER, stdio: 'ignore' });
  }
  const load = createRequire(manifest);
  return {
    tensorflow: async (backend) => {
      const tf: unknown = load('@tensorflow/tfjs');
      load(`@tensorflow/tfjs-backend-${backend}`);
      return tf;
    },
    jax: () => import(pathToFileURL(join(PEER_FOLDER, 'node_modules/@jax-js/jax/dist/index.js')).href),
  };
}
