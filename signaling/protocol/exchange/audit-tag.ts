import * as v from 'valibot';
import { TermSchema } from '../round.ts';

/** Which audit: a term counts its own. */
export const AuditTagSchema = v.strictObject({
  term: TermSchema,
  audit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31)),
});
export type AuditTag = v.InferOutput<typeof AuditTagSchema>;
