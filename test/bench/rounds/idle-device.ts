/**
 * A headless device that has joined nothing: the program, its worker, WebRTC and ONNX Runtime, and no model. What such a process has in memory is what
 * `bench:rounds` takes off what a device has. It says "idle" and waits to be ended.
 */
import { headlessEnvironment } from '../../../signaling/node/node-environment.ts';

const environment = await headlessEnvironment(process.argv[2] ?? '', { memoryLimitBytes: 2e9 });
const { api } = environment.startDeviceWorker();
// As the page does while its form is read: the engine's program, and nothing of a model.
await api.warm({ origin: process.argv[2] ?? '', model: null });
process.stdout.write('idle\n');
setInterval(() => undefined, 60_000);
