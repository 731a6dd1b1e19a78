import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { startThread } from '../../signaling/node/start-thread.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import { microBatchSizes } from '../../signaling/protocol/split.ts';
import type { GradientPart } from '../../worker/api/batch.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { ExportedFile, HostRequest } from '../../worker/api/host-api.ts';
import { Host } from '../../worker/host/host.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { DEALT_MICRO_BATCHES } from './dealt-plans.ts';

export interface Trained {
  readonly losses: readonly number[];
  readonly adapter: readonly ExportedFile[];
}

export const weightsOf = (adapter: readonly ExportedFile[]): Uint8Array | undefined =>
  adapter.find(({ name }) => name.endsWith('.safetensors'))?.bytes;

type Asked = Pick<SessionSettings, 'model' | 'weights' | 'lora' | 'training'>;

/** The request behind a session on the generated task. */
export const requestOf = ({ model, weights, lora, training }: Asked, origin: string): HostRequest => ({
  ...{ model, weights, lora, training, origin },
  task: { id: 'grammar', endpoint: origin },
});

/** One device with the whole model, and the micro-batches of the dealt plans, unless it is told how many. */
export async function trainAlone(
  settings: SessionSettings,
  origin: string,
  of: { readonly task?: HostRequest['task']; readonly microBatches?: number } = {},
): Promise<Trained> {
  const { microBatches = DEALT_MICRO_BATCHES } = of;
  const host = new Host(openFileOrHttp);
  await host.open({ ...requestOf(settings, origin), ...(of.task && { task: of.task }) });
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
        microBatchSizes: microBatchSizes(samplesPerRound, microBatches),
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
