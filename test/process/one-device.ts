import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { startThread } from '../../signaling/node/start-thread.ts';
import type { SampleRange } from '../../signaling/protocol/round.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import { microBatchSizes } from '../../signaling/protocol/split.ts';
import { samplesOf } from '../../web/session/rounds/run-round.ts';
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

/** Samples of a round that are computed for themselves, as a pipeline of a plan does. */
export interface Share {
  readonly samples: SampleRange;
  readonly microBatches: number;
}

/** One device with the whole model. It takes all samples in one go, in the micro-batches of the dealt plans, or the shares it is told one after the other. */
export async function trainAlone(
  settings: SessionSettings,
  origin: string,
  of: { readonly task?: HostRequest['task']; readonly shares?: readonly Share[] } = {},
): Promise<Trained> {
  const { samplesPerRound, rounds, dropout, seed } = settings.training;
  const all = { start: 0, count: samplesPerRound };
  const { shares = [{ samples: all, microBatches: DEALT_MICRO_BATCHES }] } = of;
  const host = new Host(openFileOrHttp);
  await host.open({ ...requestOf(settings, origin), ...(of.task && { task: of.task }) });
  const worker = startThread(new URL('../../worker/node/device-worker-node.ts', import.meta.url), {
    cacheFolder: null,
    guardedBy: null,
  });
  const api = Comlink.wrap<DeviceWorkerApi>(nodeEndpoint(worker));
  try {
    await api.load({ settings, origin, slowdown: 1, memoryLimitBytes: 2e9 });
    const curve: number[] = [];
    const ranges = shares.map(({ samples }) => samples);
    for (let round = 1; round <= rounds; round++) {
      const batch = await host.roundBatch(round, ranges);
      await api.setParameters((await host.parameters()).values);
      const parts: GradientPart[] = [];
      let lossSum = 0;
      for (const { samples, microBatches } of shares) {
        await api.begin({
          ...{ round, batch: samplesOf(batch, samples.start, samples.count), dropout: { probability: dropout, seed } },
          layers: [0, 1, 2, 3, 4, 5],
          head: true,
          microBatch: samples.count,
          microBatchSizes: microBatchSizes(samples.count, microBatches),
        });
        for (let part = await api.next(); ; part = await api.next()) {
          if (part.kind === 'gradient') parts.push({ block: part.block, samples, gradient: part.gradient });
          else {
            lossSum += part.lossSum;
            break;
          }
        }
      }
      const stepped = await host.step({ round, samples: samplesPerRound, parts, lossSum, devices: [] });
      if (stepped.kind === 'not-finite') throw new Error('The gradient is not finite.');
      curve.push(stepped.loss);
    }
    return { losses: curve, adapter: await host.exportAdapter('last') };
  } finally {
    await worker.terminate();
  }
}
