import * as Comlink from 'comlink';
import { Device } from './device.ts';
import { browserChunkStore } from './model/browser-chunk-store.ts';
import { openHttp } from './model/model-files.ts';

/** Entry of a tab's dedicated worker: `new Worker(new URL('…/device-worker.ts', import.meta.url), { type: 'module' })`. */
Comlink.expose(new Device(openHttp, browserChunkStore()));
