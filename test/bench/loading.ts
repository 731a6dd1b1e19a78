import { parseArgs } from 'node:util';
import { LoadingRoom, wideModel } from '../process/loading-room.ts';

/**
 * How a model reaches the devices of a room: bytes that the hub served, over the model's, and seconds from the first join until the last device
 * is ready, with the files given from device to device and with each fetching them alone. Everything runs in one process on one machine, hub
 * and devices alike, over real WebRTC on loopback: seconds here are shares of one processor, bytes are bytes. `--hub-mbit` bounds what the hub
 * sends to all together, as over the one line that a room has to the world; without it the hub is as quick as memory.
 *
 *   npm run bench:loading -- --devices 1,2,4,8 --words 100000 --hub-mbit 50
 */
const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '1,2,4,8' },
    words: { type: 'string', default: '100000' },
    'hub-mbit': { type: 'string' },
  },
});

interface Result {
  readonly models: string;
  readonly seconds: string;
}

/** `devices`: the host among them. */
async function run(devices: number, shares: boolean): Promise<Result> {
  const room = await new LoadingRoom(wideModel(Number(values.words)), shares).open();
  if (values['hub-mbit'] !== undefined) room.hub.bitsPerSecond = 1e6 * Number(values['hub-mbit']);
  try {
    const began = performance.now();
    // The others come as soon as there is a room, while the host is loading.
    const host = await room.host(devices === 1);
    const names = Array.from({ length: devices - 1 }, (_, i) => `device ${i + 1}`);
    await Promise.all([room.ready(host), ...names.map((name) => room.device(name))]);
    const seconds = (performance.now() - began) / 1000;
    return { models: (room.hub.served / room.modelBytes).toFixed(2), seconds: seconds.toFixed(1) };
  } finally {
    await room.close();
  }
}

process.stdout.write(
  '| devices | models from the hub, shared | alone | seconds, shared | alone |\n|---|---|---|---|---|\n',
);
for (const devices of values.devices.split(',').map(Number)) {
  const [shared, alone] = [await run(devices, true), await run(devices, false)];
  process.stdout.write(`| ${devices} | ${shared.models} | ${alone.models} | ${shared.seconds} | ${alone.seconds} |\n`);
}
// wrtc may hold or crash a process that is done.
process.exit(0);
