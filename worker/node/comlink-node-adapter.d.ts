/** Comlink ships types for its Node adapter beside a file name that its own module does not have. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { MessagePort, Worker } from 'node:worker_threads';
  import type { Endpoint } from 'comlink';
  export default function nodeEndpoint(port: Worker | MessagePort): Endpoint;
}
