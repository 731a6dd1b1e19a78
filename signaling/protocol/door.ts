import * as v from 'valibot';
import { DeviceIdSchema } from './ids.ts';
import { MAX_DEVICES_IN_ROOM } from './limits.ts';
import { NameSchema } from './room-view.ts';
import { SessionSettingsSchema } from './settings.ts';
import { textSchema } from './text/plain-text.ts';

/**
 * How strangers come into a session. A *secret* is in the link that a host gives to others; the *pass* is what is made of it for the server,
 * which knows its hash; the *door* says who comes in and who has to *wait* there until the host has looked.
 */

/**
 * - `link`: whoever shows the pass comes in; who has the code alone waits for the host.
 * - `ask`: everybody waits for the host, with or without the pass.
 * - `open`: the code alone is enough.
 * - `locked`: nobody new, and nobody waits.
 *
 * Whoever had a seat and shows that comes back through any of them, unless the host removed them.
 */
export const DOORS = ['link', 'ask', 'open', 'locked'] as const;
export const DoorSchema = v.picklist(DOORS);
export type Door = v.InferOutput<typeof DoorSchema>;

/** What the server keeps of a pass (`passHashOf`). */
export const PassHashSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'the hash of a pass'));

/** Devices at most, the host among them. */
export const CapSchema = v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(MAX_DEVICES_IN_ROOM));

/** Devices that wait at a room's door. One more is told to come again later. */
export const MAX_WAITING = 16;
/** Devices that a host removed and that a room keeps out; of more, the oldest may come again. */
export const MAX_REMOVED = 128;

/** Somebody at the door, as the host sees them. */
export const WaitingSchema = v.strictObject({
  id: DeviceIdSchema,
  name: NameSchema,
  kind: v.picklist(['tab', 'headless']),
  watch: v.boolean(),
  /** They showed the right pass: they have the link, not the code alone. */
  withPass: v.boolean(),
  /** A device was removed that came from the same address. */
  likeRemoved: v.boolean(),
});
export type Waiting = v.InferOutput<typeof WaitingSchema>;

/** What the host, and nobody else, is told of its door. */
export const EntranceSchema = v.strictObject({
  door: DoorSchema,
  cap: CapSchema,
  /** In the order in which they came. */
  waiting: v.pipe(v.array(WaitingSchema), v.maxLength(MAX_WAITING)),
});
export type Entrance = v.InferOutput<typeof EntranceSchema>;

export const DownloadBytesSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** What somebody may know of a session before they enter it. */
export const LookSchema = v.strictObject({
  door: DoorSchema,
  /** What came of the pass that was shown. */
  pass: v.picklist(['none', 'right', 'wrong']),
  title: SessionSettingsSchema.entries.task.entries.title,
  /** The host trains on a table of its own. */
  ownTable: v.boolean(),
  model: textSchema(200),
  hostName: NameSchema,
  /** The host has lost the server, and may come back. */
  hostAway: v.boolean(),
  /** The host's own is among them. */
  devices: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_DEVICES_IN_ROOM)),
  cap: CapSchema,
  /** What a device fetches that keeps nothing of the model; missing where the host did not say. */
  downloadBytes: v.exactOptional(DownloadBytesSchema),
});
export type Look = v.InferOutput<typeof LookSchema>;
