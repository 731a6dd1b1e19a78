import { parseArgs } from 'node:util';
import { measureJoining, type Visit } from './joining/measure.ts';

/**
 * What joining costs a device: bytes and requests of its first visit and of its second, and seconds, which are this machine's.
 *
 * A host in a process of its own keeps a session open; a browser opens its link through a proxy that counts what it is sent, heads and
 * bodies as they travel (WebSockets included, data links not), reads for a few seconds, and joins. The visit ends when a plan gives it
 * work. Then the tab is closed, and the same browser comes again. Where WebGPU runs in software a device trains with ONNX Runtime; Firefox
 * comes once more with its WebGPU counted as a graphics processor's, and must not fetch that.
 */
const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

function print(title: string, visit: Visit): void {
  console.log(`${title}, ${visit.engine}`);
  console.log(
    `  ${visit.requests} requests, ${kilobytes(visit.bytes)}; ${kilobytes(visit.bytesBeforeClick)} before the click`,
  );
  console.log(
    `  JavaScript: ${kilobytes(visit.scriptBytesOfPage)} until the form was there, ${kilobytes(visit.scriptBytesBeforeClick)} until the click`,
  );
  console.log(
    `  first paint after ${(visit.paintMs / 1000).toFixed(2)} s; from the click into the plan ${(visit.clickToPlanMs / 1000).toFixed(1)} s`,
  );
  for (const { path, bytes } of visit.paths.slice(0, 8)) console.log(`    ${kilobytes(bytes).padStart(11)}  ${path}`);
}

const all = [];
for (const { kind, realGpu } of [
  { kind: 'chromium', realGpu: false },
  { kind: 'firefox', realGpu: false },
  { kind: 'firefox', realGpu: true },
] as const) {
  const measured = await measureJoining({ kind, realGpu });
  all.push({ kind, realGpu, ...measured });
  if (values.json) continue;
  const title = realGpu ? `${kind} with WebGPU counted as a graphics processor's` : kind;
  print(`${title}, first visit`, measured.first);
  print(`${title}, second visit`, measured.second);
}
if (values.json) console.log(JSON.stringify(all, null, 1));
// wrtc may crash a process that ends by itself.
process.exit(0);
