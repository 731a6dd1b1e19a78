// Runs before everything else in every process and thread of test/bench/split.ts, and counts from outside of the project's code what is
// allocated there: WebAssembly memories, which never shrink, and array buffers. What both came to when they were most
// is written to a file of the thread's own.
import { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import threads, { threadId } from 'node:worker_threads';

const folder = process.env.TABLOOM_COUNT;
let most = 0;
/** From here on it counts what is most anew, in this thread. */
export const countAgain = () => {
  most = 0;
};
if (folder !== undefined) {
  const memories = new Set();
  WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
    construct(target, given) {
      const memory = new target(...given);
      memories.add(memory);
      return memory;
    },
  });
  const exported = ({ exports }) => {
    // The constructor is a proxy now: an instance of its own class is told by its tag.
    for (const one of Object.values(exports))
      if (Object.prototype.toString.call(one) === '[object WebAssembly.Memory]') memories.add(one);
  };
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...given) => {
    const made = await instantiate(...given);
    exported(made.instance ?? made);
    return made;
  };
  const { Instance } = WebAssembly;
  WebAssembly.Instance = new Proxy(Instance, {
    construct(target, given) {
      const made = new target(...given);
      exported(made);
      return made;
    },
  });
  // On Node 20 neither NODE_OPTIONS nor `--import` reaches a thread whose script is given as text.
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(script, options = {}) {
      super(options.eval ? `import(${JSON.stringify(import.meta.url)}).then(() => { ${script} })` : script, options);
    }
  };
  syncBuiltinESMExports();
  // A thread has no command line of its own; what its process was told comes with the environment.
  const told = process.argv.indexOf('--name');
  if (threadId === 0) process.env.TABLOOM_COUNT_NAME = told < 0 ? 'host' : process.argv[told + 1];
  const look = () => {
    const wasm = [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    const { arrayBuffers: buffers } = process.memoryUsage();
    if (wasm + buffers <= most) return;
    most = wasm + buffers;
    const count = { name: process.env.TABLOOM_COUNT_NAME ?? 'host', threadId, wasm, buffers };
    writeFileSync(join(folder, `${process.pid}-${threadId}.json`), JSON.stringify(count));
  };
  setInterval(look, 50).unref();
}
