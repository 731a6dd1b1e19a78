import * as Comlink from 'comlink';
import { browserChunkStore } from '../../../worker/files/browser-chunk-store.ts';
import { openHttp } from '../../../worker/files/open-file.ts';
import { Host } from '../../../worker/host/host.ts';
import { frozenTensors } from '../../../worker/model/description.ts';
import { modelFiles } from '../../../worker/model/open-model.ts';

const store = browserChunkStore();
const host = new Host(openHttp, null, store);
const sourceAt = (endpoint: string) => ({ kind: 'hub', id: 'some/model', endpoint, revision: 'main' }) as const;

/** What the test asks of a dedicated worker of a tab. */
const api = {
  keeps: async () => store !== null,
  preflight: (endpoint: string) => host.preflight(sourceAt(endpoint), '', 1e9),
  stored: () => host.keptModels(),
  forget: () => host.forgetModels('some/model'),
  /** Streams the whole encoder; its values add up to a number that any lost or moved value changes. */
  async load(endpoint: string): Promise<{ checksum: number; problems: string[] } | { error: string }> {
    const problems: string[] = [];
    try {
      const onProblem = (sentence: string) => problems.push(sentence);
      const files = modelFiles(openHttp, store, sourceAt(endpoint), '', { onProblem });
      const shape = await files.shape();
      const weights = await files.weights();
      let checksum = 0;
      await weights.stream(
        frozenTensors(shape).map((tensor, index) => ({
          ...tensor,
          take: (values, offset) => {
            for (let i = 0; i < values.length; i++) checksum += values[i]! * (((offset + i + 31 * index) % 1009) + 1);
          },
        })),
      );
      return { checksum, problems };
    } catch (error) {
      return { error: String(error) };
    }
  },
  /** Changes one byte of every entry that is as long as a whole chunk. */
  async damage(): Promise<number> {
    let damaged = 0;
    for (const { key, bytes } of (await store?.list('')) ?? []) {
      const entry = bytes > 4 * 2 ** 20 ? await store?.get(key) : null;
      if (!entry || damaged > 0) continue;
      entry[1_000_000]! ^= 4;
      await store?.put(key, [entry as Uint8Array<ArrayBuffer>]);
      damaged++;
    }
    return damaged;
  },
};
export type CacheWorkerApi = typeof api;
Comlink.expose(api);
