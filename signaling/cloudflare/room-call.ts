import * as v from 'valibot';

/** How the outer Worker tells a room's object who comes: in a header, which nobody else can set, since nobody else reaches the object. */
const HEADER = 'x-tabloom-call';

const allowance = v.strictObject({ left: v.number(), atMs: v.number() });
const CallSchema = v.strictObject({
  code: v.string(),
  /** Whether it is to be a new room's object. */
  makes: v.boolean(),
  address: v.string(),
  introduction: v.nullable(v.strictObject({ id: v.string(), token: v.string() })),
  standing: v.strictObject({ roomsElsewhere: v.number(), guesses: allowance, looks: allowance }),
});
export type Call = v.InferOutput<typeof CallSchema>;

export const callHeader = (call: Call): Record<string, string> => ({
  [HEADER]: encodeURIComponent(JSON.stringify(call)),
});

/** Throws where there is none. */
export const callOf = (request: Request): Call =>
  v.parse(CallSchema, JSON.parse(decodeURIComponent(request.headers.get(HEADER) ?? '')));
