import type { Block } from '../../signaling/protocol/round.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { StageParameters } from '../api/stage-api.ts';
import type { Engine, Hidden } from '../engine/engine.ts';
import { placeOfBlock } from '../model/layout.ts';

/** (sum of lengths,C), or (B,C) of the first tokens. */
export const readHidden = (hidden: Hidden, firstOnly: boolean): Promise<Float32Array> =>
  firstOnly ? hidden.readFirst() : hidden.readPacked();

export const wrapHidden = (
  engine: Engine,
  batch: TokenBatch,
  rows: Float32Array,
  firstOnly: boolean,
): Promise<Hidden> => (firstOnly ? engine.wrapFirst(batch, rows) : engine.wrapHidden(batch, rows));

/** Sets the trained values of a stage's blocks. @throws RangeError where they are more or fewer, or not the engine's. */
export async function setBlocks(engine: Engine, { layers, head, values }: StageParameters): Promise<void> {
  const blocks: Block[] = [...(head ? (['head'] as const) : []), ...layers];
  let at = 0;
  const given = blocks.map((block) => {
    const start = at;
    at += placeOfBlock(engine.layout, block).length;
    return { block, values: values.subarray(start, at) };
  });
  if (at !== values.length) throw new RangeError(`The stage trains ${at} values; ${values.length} were given.`);
  await engine.setBlocks(given);
}
