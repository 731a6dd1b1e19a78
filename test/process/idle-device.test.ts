import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headlessEnvironment } from '../../signaling/node/node-environment.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import { HeadlessRoom, largestRelativeDifference, losses } from './headless-room.ts';

/** Devices whose worker is a real one, changed: it states a thousandth of its costs, or it never answers as well. */
const TOLERANCE = 1e-4;

let server: RunningServer;
let origin: string;

beforeAll(async () => {
  server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: null,
    modelsFolder: fileURLToPath(new URL('../../models', import.meta.url)),
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

const boasting = (api: DeviceWorkerApi): DeviceWorkerApi => ({
  ...whole(api),
  profile: async (request) => {
    const honest = await api.profile(request);
    const { embed, forwardPerLayer, backwardPerLayer, head } = honest.secondsPerSample;
    return {
      ...honest,
      overheadSeconds: 0,
      secondsPerSample: {
        embed: embed / 1000,
        forwardPerLayer: forwardPerLayer / 1000,
        backwardPerLayer: backwardPerLayer / 1000,
        head: head / 1000,
      },
    };
  },
});

const deaf = (api: DeviceWorkerApi): DeviceWorkerApi => ({
  ...boasting(api),
  next: () => new Promise(() => undefined),
});

/** A proxy's methods as an object's own. */
const whole = (api: DeviceWorkerApi): DeviceWorkerApi => ({
  chunks: api.chunks,
  warm: (request) => api.warm(request),
  load: (request) => api.load(request),
  profile: (request) => api.profile(request),
  setParameters: (values) => api.setParameters(values),
  hold: (state) => api.hold(state),
  advance: (update) => api.advance(update),
  setHeldParameters: () => api.setHeldParameters(),
  held: () => api.held(),
  heldPast: () => api.heldPast(),
  begin: (order) => api.begin(order),
  next: () => api.next(),
  cancel: () => api.cancel(),
  evaluate: (batch) => api.evaluate(batch),
  fits: (request) => api.fits(request),
  pretend: (pretence) => api.pretend(pretence),
  measure: (request) => api.measure(request),
  measureAgain: () => api.measureAgain(),
  stopMeasuring: () => api.stopMeasuring(),
  restated: () => api.restated(),
  loadPart: (request) => api.loadPart(request),
  holds: () => api.holds(),
  prefetch: (request) => api.prefetch(request),
  setStageParameters: (parameters) => api.setStageParameters(parameters),
  beginStage: (order) => api.beginStage(order),
  give: (values) => api.give(values),
  nextOfStage: () => api.nextOfStage(),
  evaluateStage: (chunk) => api.evaluateStage(chunk),
  progress: () => api.progress(),
});

/** Rounds of a host and one such device, or of the host alone; `seconds` is what each took. */
async function train(rounds: number, change: ((api: DeviceWorkerApi) => DeviceWorkerApi) | null) {
  const room = await HeadlessRoom.open(origin, 'data-parallel', { rounds });
  let other: JoinSession | null = null;
  try {
    if (change !== null) {
      const { invitation, room: opened } = await room.until((view) => view.invitation !== null && view.room !== null);
      const environment = await headlessEnvironment(origin, { memoryLimitBytes: 2e9 });
      const start = (): ReturnType<typeof environment.startDeviceWorker> => {
        const { api, terminate } = environment.startDeviceWorker();
        return { api: change(api), terminate };
      };
      const invited = { room: opened?.id ?? '', secret: invitation?.secret ?? null };
      const options = { name: 'other', watch: false, slowdown: 1 };
      other = new JoinSession({ ...environment, startDeviceWorker: start }, invited, options);
    }
    await room.ready(change === null ? 1 : 2);
    room.session.start();
    const view = await room.finished();
    return { view, seconds: view.rounds.map(({ elapsedSeconds }) => elapsedSeconds) };
  } finally {
    other?.leave();
    await room.close();
  }
}

// Side by side: the first one waits for most of its time.
describe.concurrent('a session with a device that', () => {
  it('states no costs and never answers waits for it twice, and comes to the same', async () => {
    const [{ view, seconds }, alone] = await Promise.all([train(30, deaf), train(30, null)]);
    const waited = seconds.filter((one) => one >= 15);
    expect(waited.length).toBeLessThanOrEqual(2);
    const probation = view.room?.devices.find(({ name }) => name === 'other')?.probation;
    expect(probation).toMatchObject({ why: 'late' });
    expect(largestRelativeDifference(losses(view), losses(alone.view))).toBeLessThan(TOLERANCE);
  });

  it('boasts of a thousand times its speed has the share of its real one', async () => {
    const { view } = await train(30, boasting);
    const plan = view.room?.plan?.assignments ?? [];
    const host = plan.find(({ device }) => device === view.room?.host)?.samples.count ?? 0;
    // Both are this machine.
    expect(host).toBeGreaterThanOrEqual(2);
  });
});
