import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import * as v from 'valibot';
import { Host } from '../host/host.ts';
import { serveHost } from '../host/host-endpoint.ts';
import { folderStore } from './file-chunk-store.ts';
import { openFileOrHttp, openGuarded } from './file-source.ts';
import { guardedFetch } from './guarded-fetch.ts';

/** Entry of the host's worker thread in a headless process. Addresses without a scheme are paths of this machine. */
if (!parentPort) throw new Error('host-worker-node.ts runs as a worker thread only.');
const trusts = v.safeParse(v.object({ guardedBy: v.nullable(v.string()) }), workerData);
const guardedBy = trusts.success ? trusts.output.guardedBy : null;
const guarded = guardedBy === null ? null : openGuarded(guardedFetch(guardedBy));
const hasScheme = /^[a-z][a-z0-9+.-]+:/i;
serveHost(
  new Host(
    guarded ?? ((address) => openFileOrHttp(hasScheme.test(address) ? address : pathToFileURL(resolve(address)).href)),
    null,
    folderStore(workerData),
  ),
  nodeEndpoint(parentPort),
);
