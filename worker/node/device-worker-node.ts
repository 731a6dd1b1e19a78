import { parentPort, workerData } from 'node:worker_threads';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import * as v from 'valibot';
import { Device } from '../device/device.ts';
import { collectNearLimit } from './collect-near-limit.ts';
import { folderStore } from './file-chunk-store.ts';
import { openFileOrHttp, openGuarded } from './file-source.ts';
import { guardedFetch } from './guarded-fetch.ts';

/** Entry of a headless device's worker thread. */
if (parentPort === null) throw new Error('device-worker-node.ts is the entry of a worker thread.');
const trusts = v.safeParse(v.object({ guardedBy: v.nullable(v.string()) }), workerData);
const guardedBy = trusts.success ? trusts.output.guardedBy : null;
const limited = v.safeParse(v.object({ memoryLimitBytes: v.number() }), workerData);
if (limited.success) collectNearLimit(limited.output.memoryLimitBytes);
const open = guardedBy === null ? openFileOrHttp : openGuarded(guardedFetch(guardedBy));
Comlink.expose(new Device(open, folderStore(workerData)), nodeEndpoint(parentPort));
