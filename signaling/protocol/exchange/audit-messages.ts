import * as v from 'valibot';
import { DeviceIdSchema } from '../ids.ts';
import { MAX_DEVICES_IN_ROOM, MAX_LAYERS, MAX_ROUNDS, MAX_TOKENS_PER_SAMPLE } from '../limits.ts';
import { type Block, BlockSchema, RoundNumberSchema, TermSchema, WORK_FIELDS } from '../round.ts';
import type { Uploads } from '../settings.ts';
import { AuditTagSchema } from './audit-tag.ts';
import type { FrameTensor } from './frames.ts';
import { checkUpload } from './upload-codec.ts';

const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const finite = v.pipe(v.number(), v.finite());
const fraction = v.pipe(finite, v.minValue(0), v.maxValue(1));

const AuditedSchema = v.strictObject({
  type: v.literal('audited'),
  tag: AuditTagSchema,
  blocks: v.pipe(
    v.array(BlockSchema),
    v.maxLength(MAX_LAYERS + 1),
    v.check((blocks) => new Set(blocks).size === blocks.length, 'each block once'),
  ),
  /** Null where the audit has no head, or it is not finite. */
  lossSum: v.nullable(finite),
  computeSeconds: v.pipe(finite, v.minValue(0)),
});

/**
 * What the host knows of its devices' honesty after a round, to those who may lead when it is gone: how many rounds of each were found right, as
 * far as that matters, how many there were since the last one that was audited, and the first one with parts that nobody has found right.
 */
const StandingsSchema = v.strictObject({
  type: v.literal('standings'),
  term: TermSchema,
  round: whole(0, MAX_ROUNDS),
  devices: v.pipe(
    v.array(
      v.strictObject({
        device: DeviceIdSchema,
        right: whole(0, MAX_ROUNDS),
        since: whole(0, MAX_ROUNDS),
        unaudited: v.nullable(RoundNumberSchema),
      }),
    ),
    v.maxLength(MAX_DEVICES_IN_ROOM),
  ),
});
export type ToldStandings = v.InferOutput<typeof StandingsSchema>;

/** What of an earlier round is computed again, with the parameters of then; no round waits for it. */
export const AUDIT_MESSAGES = [
  v.strictObject({
    type: v.literal('audit'),
    tag: AuditTagSchema,
    /** The round that it is of: what is dropped goes by it. */
    round: RoundNumberSchema,
    ...WORK_FIELDS,
    tokens: whole(1, MAX_TOKENS_PER_SAMPLE),
    dropout: v.strictObject({ probability: fraction, seed: whole(0, 2 ** 32 - 1) }),
  }),
  AuditedSchema,
  StandingsSchema,
] as const;

/** Throws where the tensors are not the slices of its blocks. What is not finite differs from what is: that is the audit's to say. */
export function checkAudited(
  tensors: readonly FrameTensor[],
  { blocks }: v.InferOutput<typeof AuditedSchema>,
  sizes: { readonly blockLength: (block: Block) => number | undefined; readonly uploads: Uploads },
): void {
  const lengths = blocks.map((block) => {
    const length = sizes.blockLength(block);
    if (length === undefined) throw new Error('A gradient names a block that the model does not have.');
    return length;
  });
  checkUpload(tensors, lengths, sizes.uploads, 'The gradient of an audit');
}
