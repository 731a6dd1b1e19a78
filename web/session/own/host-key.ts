import * as v from 'valibot';
import { SecretSchema } from '../../../signaling/protocol/door/secret.ts';
import { CapSchema, DoorSchema, MAX_REMOVED } from '../../../signaling/protocol/door.ts';
import { DeviceIdSchema, DeviceKeySchema, RoomIdSchema } from '../../../signaling/protocol/ids.ts';
import { MAX_DEVICES_IN_ROOM } from '../../../signaling/protocol/limits.ts';
import { ClaimSchema } from '../../../signaling/protocol/messages.ts';
import * as say from '../../words/session/own.ts';

/** Devices that a host let in without the secret, and that it knows again; of more, the oldest have to be let in again. */
export const MAX_ADMITTED = 128;

const KeptDoorSchema = v.strictObject({
  secret: SecretSchema,
  door: DoorSchema,
  cap: CapSchema,
  removed: v.pipe(v.array(DeviceIdSchema), v.maxLength(MAX_REMOVED)),
  admitted: v.exactOptional(v.pipe(v.array(DeviceIdSchema), v.maxLength(MAX_ADMITTED))),
});
/** The door as the host's device keeps it: a server that forgot the room learns it from here. `removed`: oldest first. */
export type KeptDoor = v.InferOutput<typeof KeptDoorSchema>;

/**
 * What seats a host in its room again: kept beside a checkpoint on the host's own machine and never in it, because a checkpoint may be
 * given to others. Whoever has both is the host.
 */
const HostKeySchema = v.strictObject({
  format: v.literal('tabloom-key-1'),
  /** The host's device id, which its checkpoints name, too. */
  id: DeviceIdSchema,
  key: DeviceKeySchema,
  room: RoomIdSchema,
  /** Absent where the server gave none. */
  claim: v.exactOptional(ClaimSchema),
  /** Release 0.1.0 had no doors. */
  door: v.exactOptional(KeptDoorSchema),
  /** Devices to which the host's person gave their own table. */
  given: v.exactOptional(v.pipe(v.array(DeviceIdSchema), v.maxLength(MAX_DEVICES_IN_ROOM))),
});
export type HostKey = Omit<v.InferOutput<typeof HostKeySchema>, 'format'>;

export function writeHostKey(key: HostKey): string {
  return JSON.stringify({ format: 'tabloom-key-1', ...key } satisfies v.InferOutput<typeof HostKeySchema>);
}

/** The key of the session that host `id` holds. @throws Error with a sentence when the text is none, or is that of another session. */
export function readHostKey(text: string, id: string): HostKey {
  const read = v.safeParse(HostKeySchema, parsed(text));
  if (!read.success || read.output.id !== id)
    throw new Error(say.theKeyBesideTheCheckpoint(read.success ? say.ofAnotherSession : say.noKey));
  const { format: _, ...key } = read.output;
  return key;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
