import type { HostRequest, KnownRequest } from '../../worker/api/host-api.ts';
import { ownSession } from './members.ts';
import { readHostKey } from './own/host-key.ts';
import { readNote, resumedEngine } from './own/session-note.ts';
import type { OwnSession } from './own-session.ts';
import type { HostOptions } from './view/view.ts';
import type { SessionEnvironment } from './world/environment.ts';

/**
 * Goes on with a checkpoint of `OwnSession`: given its key under its old code and identity, without it in a new room. `options` replace
 * those that it had. Rejects with a sentence when the bytes are no such checkpoint, or when `allow` rejects the id of a session that is
 * gone on with by its key.
 */
export async function resumeSession(
  environment: SessionEnvironment,
  { bytes, key: keyText }: { readonly bytes: Uint8Array; readonly key: string | null },
  options: HostOptions | null,
  allow: (id: string) => Promise<void> = async () => undefined,
): Promise<OwnSession> {
  const worker = environment.startHostWorker();
  try {
    const { request, version, note: text } = await worker.api.readCheckpoint(bytes);
    const { note, key: within } = readNote(text);
    const key = keyText === null ? within : readHostKey(keyText, note.identity.id);
    if (key !== null) await allow(key.id);
    const chosen = options ?? { name: note.identity.name, ...note.options };
    const start = { kind: 'checkpoint', bytes } as const;
    const here = atOrigin(request, environment.origin);
    const engine = resumedEngine(environment.engine, { note, key });
    const world = engine === undefined ? environment : { ...environment, engine };
    return ownSession(world, { ...here, start }, chosen, { worker, round: version, note, key });
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

/** The server may have another address than when the checkpoint was made. */
function atOrigin(request: Omit<KnownRequest, 'start'>, origin: string): HostRequest {
  const moved = (address: string): string =>
    address.startsWith(`${request.origin}/`) ? origin + address.slice(request.origin.length) : address;
  const { model, task } = request;
  return {
    ...request,
    origin,
    model: model.kind === 'hub' ? { ...model, endpoint: moved(model.endpoint) } : model,
    task: { ...task, endpoint: moved(task.endpoint) },
  };
}
