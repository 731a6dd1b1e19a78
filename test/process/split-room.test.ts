import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startThread } from '../../signaling/node/start-thread.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import { holdsRun, microBatchSizes } from '../../signaling/protocol/split.ts';
import type { RunningServer } from '../../signaling/server/server.ts';
import type { GradientPart } from '../../worker/api/batch.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { ExportedFile, HostRequest } from '../../worker/api/host-api.ts';
import { Host } from '../../worker/host/host.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { DEALT_MICRO_BATCHES, DEALT_RUNS } from './dealt-plans.ts';
import { HeadlessRoom, losses, startTestServer } from './headless-room.ts';

/**
 * A model that none of three processes can hold, over real WebRTC: curve and adapter are those of one device with the same micro-batches,
 * to the bit, with dropout, and also when a stage dies and another device takes it over.
 */
const ROUNDS = 20;
/** roberta-mini's weights alone take 10.05 MB. */
const MEMORY_BYTES = 9.5e6;
const TRAINING = { rounds: ROUNDS, dropout: 0.1, samplesPerRound: 8 };

let server: RunningServer;
let origin: string;
let alone: { readonly losses: readonly number[]; readonly adapter: readonly ExportedFile[] };

/** One device, the whole model, the same micro-batches. */
async function trainAlone(request: HostRequest, settings: SessionSettings) {
  const host = new Host(openFileOrHttp);
  await host.open(request);
  const worker = startThread(new URL('../../worker/node/device-worker-node.ts', import.meta.url), {
    cacheFolder: null,
    guardedBy: null,
  });
  const api = Comlink.wrap<DeviceWorkerApi>(nodeEndpoint(worker));
  try {
    await api.load({ settings, origin, slowdown: 1, memoryLimitBytes: 2e9 });
    const { samplesPerRound, rounds, dropout, seed } = settings.training;
    const samples = { start: 0, count: samplesPerRound };
    const curve: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const batch = await host.roundBatch(round, [samples]);
      await api.setParameters((await host.parameters()).values);
      await api.begin({
        ...{ round, batch, dropout: { probability: dropout, seed } },
        layers: [0, 1, 2, 3, 4, 5],
        head: true,
        microBatch: samplesPerRound,
        microBatchSizes: microBatchSizes(samplesPerRound, DEALT_MICRO_BATCHES),
      });
      const parts: GradientPart[] = [];
      for (let part = await api.next(); ; part = await api.next()) {
        if (part.kind === 'gradient') {
          parts.push({ block: part.block, samples, gradient: part.gradient });
          continue;
        }
        const { lossSum } = part;
        const stepped = await host.step({ round, samples: samplesPerRound, parts, lossSum, devices: [] });
        if (stepped.kind === 'not-finite') throw new Error('The gradient is not finite.');
        curve.push(stepped.loss);
        break;
      }
    }
    return { losses: curve, adapter: await host.exportAdapter('last') };
  } finally {
    await worker.terminate();
  }
}

const weightsOf = (adapter: readonly ExportedFile[]): Uint8Array | undefined =>
  adapter.find(({ name }) => name.endsWith('.safetensors'))?.bytes;

const requestOf = (settings: SessionSettings): HostRequest => ({
  ...{ model: settings.model, weights: settings.weights, lora: settings.lora, training: settings.training },
  task: { id: 'grammar', endpoint: origin },
  origin,
});

async function splitRoom(names: readonly string[]): Promise<HeadlessRoom> {
  const room = await HeadlessRoom.open(origin, 'split', TRAINING, { memoryBytes: MEMORY_BYTES });
  for (const [i, name] of names.entries()) {
    await room.addDevice(name, MEMORY_BYTES);
    await room.measured(i + 2);
  }
  return room;
}

beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

describe('a model split over three processes', () => {
  it('trains as one device does, to the bit, and evaluates and answers as one', async () => {
    const room = await splitRoom(['b', 'c']);
    try {
      const { room: planned } = await room.until(({ room: r }) => r?.plan != null);
      if (planned === null) throw new Error('There is no room.');
      // Nothing of the model is fetched before there is a plan, and the whole of it by nobody.
      const { settings } = planned;
      room.session.start();
      const view = await room.finished();
      const held = view.room?.devices.map(({ holds }) => holds);
      expect(held).toEqual(DEALT_RUNS.map(({ from, to }) => ({ from, to })));
      expect(view.rounds.map(({ devices }) => devices.length)).toEqual(Array(ROUNDS).fill(3));
      alone = await trainAlone(requestOf(settings), settings);
      expect(losses(view)).toEqual(alone.losses);
      expect(weightsOf(await room.session.exportAdapter('last'))).toEqual(weightsOf(alone.adapter));
      expect(view.scores.map(({ round, examples }) => [round, examples])).toEqual([
        [0, 500],
        [ROUNDS, 500],
      ]);
      const tried = await room.session.tryText('a wonderful film', null);
      expect(tried.round).toBe(ROUNDS);
      expect(tried.before).not.toEqual(tried.prediction);
    } finally {
      await room.close();
    }
  });

  it('comes to the same when a stage dies and a spare takes it over', async () => {
    const room = await splitRoom(['b', 'c', 'd']);
    try {
      room.session.start();
      await room.until(({ activity }) => activity?.round === 6);
      room.kill('b');
      const view = await room.finished();
      expect(losses(view)).toEqual(alone.losses);
      expect(weightsOf(await room.session.exportAdapter('last'))).toEqual(weightsOf(alone.adapter));
      const d = view.room?.devices.find(({ name }) => name === 'd');
      expect(holdsRun(d?.holds, DEALT_RUNS[0])).toBe(false);
      expect(view.rounds.at(-1)?.devices.map(({ device }) => device)).toContain(d?.id);
    } finally {
      await room.close();
    }
  });
});
