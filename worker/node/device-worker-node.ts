import { parentPort, workerData } from 'node:worker_threads';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { Device } from '../device/device.ts';
import { folderStore } from './file-chunk-store.ts';
import { openFileOrHttp } from './file-source.ts';

/** Entry of a headless device's worker thread. */
if (parentPort === null) throw new Error('device-worker-node.ts is the entry of a worker thread.');
Comlink.expose(new Device(openFileOrHttp, folderStore(workerData)), nodeEndpoint(parentPort));
