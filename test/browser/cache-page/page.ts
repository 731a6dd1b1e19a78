import * as Comlink from 'comlink';
import type { CacheWorkerApi } from './worker.ts';

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
Object.assign(globalThis, { models: Comlink.wrap<CacheWorkerApi>(worker) });
