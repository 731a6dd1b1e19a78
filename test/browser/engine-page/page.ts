import * as Comlink from 'comlink';
import type { EngineWorkerApi } from './worker.ts';

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
Object.assign(globalThis, { engines: Comlink.wrap<EngineWorkerApi>(worker) });
