import type { FrameTensor } from '../../../signaling/protocol/exchange/frames.ts';
import {
  type StageHeader,
  type StageSizes,
  trainedBlocks,
} from '../../../signaling/protocol/exchange/stage-messages.ts';
import type { StageParameters } from '../../../worker/api/stage-api.ts';

type Work = StageHeader<'stage-order' | 'stage-evaluate'>;

interface VersionOfRun {
  readonly version: number;
  readonly run: string;
  readonly values: StageParameters;
}

/** Of a run of which nothing is trained. */
const NO_PARAMETERS: StageParameters = { layers: [], head: false, values: new Float32Array() };

/**
 * Trained values of a stage's run as they came over one link: the latest of each kind of work, since rounds go on while those of an
 * evaluation are still needed.
 */
export class StageVersions {
  readonly #sizes: Pick<StageSizes, 'layers' | 'blockLength'>;
  readonly #latest = new Map<Work['type'], VersionOfRun>();

  constructor(sizes: Pick<StageSizes, 'layers' | 'blockLength'>) {
    this.#sizes = sizes;
  }

  /** Those that work is for; null where the host believes that this device has them, and it has not. */
  take(header: Work, tensors: readonly FrameTensor[]): StageParameters | null {
    const { stage, version } = header;
    const blocks = trainedBlocks(stage, this.#sizes);
    if (blocks.length === 0) return NO_PARAMETERS;
    const run = `${stage.from} ${stage.to}`;
    const last = tensors.at(-1);
    if (header.parameters && last instanceof Float32Array) {
      const layers = blocks.filter((block) => block !== 'head');
      const values = { layers, head: blocks.includes('head'), values: last };
      this.#latest.set(header.type, { version, run, values });
    }
    return [...this.#latest.values()].find((one) => one.version === version && one.run === run)?.values ?? null;
  }
}
