import { profile } from '../../protocol/samples.ts';
import { BenchDevice, noCounts } from './device.ts';

/**
 * A process of devices in rooms that train: what a host says in a second of rounds, devices whose pace drifts, and some that come and go.
 * Everything that it is told and tells goes over its parent's channel.
 */
export interface FleetOrder {
  readonly port: number;
  /** Distinguishes the ids of this process. */
  readonly name: string;
  readonly rooms: number;
  readonly devicesPerRoom: number;
  readonly roundsPerSecond: number;
  readonly comingsPerSecond: number;
}

export interface FleetReport {
  readonly type: 'ready' | 'counts';
  readonly counts: ReturnType<typeof noCounts>;
  readonly cpuMs: number;
  /** A room that others may join. */
  readonly room: string;
}

/** As `web/session/training/one-round.ts` has it, whose code a process of many devices does not load. */
const ACTIVITY_EVERY_MS = 300;
const BLOCKS = 7;
const ENTERING_AT_ONCE = 20;

const counts = noCounts();

interface Room {
  readonly code: string;
  readonly host: BenchDevice;
  readonly devices: BenchDevice[];
  round: number;
}

async function openRoom({ port, name, devicesPerRoom }: FleetOrder, index: number): Promise<Room> {
  const id = (device: number): string => `${name}${String(index).padStart(4, '0')}${String(device).padStart(4, '0')}`;
  const host = new BenchDevice(port, id(0), null, counts);
  const code = await host.entered;
  host.send({ type: 'profile', profile: profile() });
  const room: Room = { code, host, devices: [], round: 0 };
  for (let from = 1; from < devicesPerRoom; from += ENTERING_AT_ONCE) {
    const until = Math.min(devicesPerRoom, from + ENTERING_AT_ONCE);
    await Promise.all(Array.from({ length: until - from }, (_, i) => enter(room, port, id(from + i))));
  }
  return room;
}

async function enter(room: Room, port: number, id: string): Promise<void> {
  const device = new BenchDevice(port, id, room.code, counts);
  await device.entered;
  room.devices.push(device);
  // As a device does that loads, measures itself, and is linked.
  for (const done of [1, 50, 99]) device.send({ type: 'status', status: { kind: 'loading', done, total: 100 } });
  room.host.send({ type: 'linked', device: id, linked: true });
  device.send({ type: 'profile', profile: profile(1 + (room.devices.length % 5) / 3) });
}

function train(room: Room, roundsPerSecond: number): void {
  const all = (): readonly BenchDevice[] => [room.host, ...room.devices];
  let beat = 0;
  setInterval(() => {
    beat += 1;
    const devices = all().map(({ id }, i) => ({ device: id, received: (beat + i) % BLOCKS, expected: BLOCKS }));
    room.host.send({ type: 'activity', activity: { round: room.round + 1, devices } });
  }, ACTIVITY_EVERY_MS);
  setInterval(() => {
    room.round += 1;
    // Paces wander, so that now and then another plan is better.
    const devices = all().map(({ id }, i) => ({
      device: id,
      samples: 4,
      deepestDepth: i % 6,
      computeSeconds: 0.05 * (1 + 0.5 * Math.sin(room.round / 30 + i)),
      uploadSeconds: 0.02,
      uploadBits: 1e6,
    }));
    const report = {
      round: room.round,
      planVersion: 1,
      loss: 1 / room.round,
      learningRate: 1e-3,
      gradientNorm: 1,
      elapsedSeconds: 1 / roundsPerSecond,
      devices,
      reassigned: 0,
    };
    room.host.send({ type: 'round', report });
  }, 1000 / roundsPerSecond);
}

/** One leaves, another one comes. */
function churn(rooms: readonly Room[], { port, name, comingsPerSecond }: FleetOrder): void {
  let count = 0;
  setInterval(() => {
    const room = rooms[count % rooms.length];
    room.devices.shift()?.leave();
    count += 1;
    void enter(room, port, `${name}new${String(count).padStart(8, '0')}`);
  }, 1000 / Math.max(0.01, comingsPerSecond));
}

function tell(type: FleetReport['type'], room: string): void {
  const { user, system } = process.cpuUsage();
  process.send?.({ type, counts: { ...counts }, cpuMs: (user + system) / 1000, room } satisfies FleetReport);
}

process.once('message', async (order: FleetOrder) => {
  const rooms: Room[] = [];
  for (let i = 0; i < order.rooms; i++) {
    const room = await openRoom(order, i);
    rooms.push(room);
    train(room, order.roundsPerSecond);
  }
  churn(rooms, order);
  tell('ready', rooms[0].code);
  process.on('message', () => tell('counts', rooms[0].code));
});
process.once('disconnect', () => process.exit());
