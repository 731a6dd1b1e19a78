// Runs before everything else in every process and thread of test/bench/split.ts, and counts from outside of the project's code what is
// allocated there: WebAssembly memories, which never shrink, and array buffers. The most of each is written to a file of the thread's own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

const folder = process.env.TABLOOM_COUNT;
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
  let [wasm, buffers] = [0, 0];
  const look = () => {
    const now = [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    const { arrayBuffers } = process.memoryUsage();
    if (now <= wasm && arrayBuffers <= buffers) return;
    wasm = Math.max(wasm, now);
    buffers = Math.max(buffers, arrayBuffers);
    const name = process.argv.includes('--name') ? process.argv[process.argv.indexOf('--name') + 1] : 'host';
    writeFileSync(join(folder, `${process.pid}-${threadId}.json`), JSON.stringify({ name, threadId, wasm, buffers }));
  };
  setInterval(look, 50).unref();
}
