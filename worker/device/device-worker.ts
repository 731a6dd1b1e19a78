import * as Comlink from 'comlink';
import { browserChunkStore } from '../files/browser-chunk-store.ts';
import { openHttp } from '../files/open-file.ts';
import { Device } from './device.ts';

/** Entry of a tab's dedicated worker: `new Worker(new URL('…/device-worker.ts', import.meta.url), { type: 'module' })`. */
Comlink.expose(new Device(openHttp, browserChunkStore()));
