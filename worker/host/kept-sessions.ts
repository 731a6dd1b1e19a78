import * as v from 'valibot';
import type { KeptCheckpoint, KeptSession } from '../api/host-api.ts';
import { headerBytes, PREFIX_BYTES, parseHeader } from '../model/safetensors.ts';

/** Files of this device under flat names. What `write` was broken off in the middle of must not read as a whole file afterwards. */
export interface Drawer {
  list(): Promise<readonly { readonly name: string; readonly bytes: number }[]>;
  /** Bytes `start` to `end` of a file. */
  read(name: string, start: number, end: number): Promise<Uint8Array>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
  /** Everything in it, whatever its name, and the drawer itself. */
  clear(): Promise<void>;
}

/** The oldest goes when one more is kept. */
const MAX_SESSIONS = 5;
/**
 * Sessions on this device, each as one checkpoint and the key beside it: `ID.NUMBER.safetensors` and `ID.NUMBER.key`; a later number is a
 * later checkpoint. Release 0.1.0 had the key within.
 */
const FILE_NAME = /^([a-z0-9]{8,32})\.(\d{1,15})\.(safetensors|key)$/;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const LabelSchema = v.strictObject({
  title: v.string(),
  deviceName: v.string(),
  round: whole,
  rounds: whole,
  /** When it was kept; the files of earlier versions fixed the name. */
  savedAtMs: whole,
});
export type SessionLabel = v.InferOutput<typeof LabelSchema>;

interface KeptFile {
  readonly name: string;
  readonly number: number;
  readonly session: KeptSession;
}

function keptSession(id: string, { savedAtMs, ...label }: SessionLabel, bytes: number): KeptSession {
  return { id, ...label, keptAtMs: savedAtMs, bytes };
}

/** The name of the checkpoint's metadata entry with what lists show. */
export const labelMetadata = (label: SessionLabel): Readonly<Record<string, string>> => ({
  label: JSON.stringify(label),
});

/**
 * The checkpoints of this device's own sessions. A new one is written beside the old one, its key first, and the old one goes only then:
 * whatever breaks off in between, one whole checkpoint stays, with its key.
 */
export class KeptSessions {
  readonly #drawer: Drawer;

  constructor(drawer: Drawer) {
    this.#drawer = drawer;
  }

  /** The latest first. Files that are no whole checkpoints are passed over. */
  async list(): Promise<readonly KeptSession[]> {
    return (await this.#latest()).map(({ session }) => session);
  }

  /** `bytes` is a checkpoint with the `label` in its metadata. Rejects with a sentence when it cannot be kept; the old one stays then. */
  async keep(
    id: string,
    label: SessionLabel,
    { bytes, key }: { readonly bytes: Uint8Array; readonly key: string },
  ): Promise<KeptSession> {
    let number = 0;
    try {
      const matches = (await this.#drawer.list()).map((file) => FILE_NAME.exec(file.name));
      number = 1 + Math.max(0, ...matches.map((match) => (match?.[1] === id ? Number(match[2]) : 0)));
      await this.#drawer.write(`${id}.${number}.key`, new TextEncoder().encode(key));
      await this.#drawer.write(`${id}.${number}.safetensors`, bytes);
    } catch (error) {
      for (const end of ['safetensors', 'key'])
        await this.#drawer.remove(`${id}.${number}.${end}`).catch(() => undefined);
      const full = error instanceof Error && error.name === 'QuotaExceededError';
      const reason = error instanceof Error ? error.message.replace(/\.$/, '') : 'no reason given';
      throw new Error(
        `The session could not be kept on this device (${full ? 'the browser gives this page no more room' : reason}).`,
      );
    }
    await this.#clear(id, number);
    return keptSession(id, label, bytes.length);
  }

  /** @throws Error with a sentence when there is none. */
  async read(id: string): Promise<KeptCheckpoint> {
    const file = (await this.#latest()).find(({ session }) => session.id === id);
    if (!file) throw new Error('This session is not kept on this device any more.');
    const keyName = `${id}.${file.number}.key`;
    const keyFile = (await this.#drawer.list()).find(({ name }) => name === keyName);
    return {
      bytes: await this.#drawer.read(file.name, 0, file.session.bytes),
      key: keyFile ? new TextDecoder().decode(await this.#drawer.read(keyName, 0, keyFile.bytes)) : null,
    };
  }

  async forget(id: string): Promise<void> {
    for (const { name } of await this.#drawer.list())
      if (FILE_NAME.exec(name)?.[1] === id) await this.#drawer.remove(name);
  }

  /** Every file, keys and what was broken off included; resolves with how many sessions and bytes went. */
  async deleteAll(): Promise<{ readonly sessions: number; readonly bytes: number }> {
    const sessions = (await this.#latest()).length;
    const files = await this.#drawer.list();
    await this.#drawer.clear();
    return { sessions, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /**
   * After checkpoint `number` was written: other checkpoints of its session go, and the oldest sessions beyond the limit. Another tab may be writing a
   * later checkpoint of its own session meanwhile, so of the others only what a whole one has replaced goes.
   */
  async #clear(id: string, number: number): Promise<void> {
    const others = (await this.#latest()).filter(({ session }) => session.id !== id);
    const stays = new Map(others.slice(0, MAX_SESSIONS - 1).map((file) => [file.session.id, file.number]));
    const goes = new Set(others.slice(MAX_SESSIONS - 1).map(({ session }) => session.id));
    for (const file of await this.#drawer.list()) {
      const [, of = '', digits] = FILE_NAME.exec(file.name) ?? [];
      const replaced = of === id ? Number(digits) !== number : Number(digits) < (stays.get(of) ?? 0);
      // What cannot go now goes with the next one.
      if (replaced || goes.has(of)) await this.#drawer.remove(file.name).catch(() => undefined);
    }
  }

  /** Every session's latest whole checkpoint, the latest first. */
  async #latest(): Promise<readonly KeptFile[]> {
    const found = new Map<string, KeptFile>();
    for (const { name, bytes } of await this.#drawer.list()) {
      const [, id, digits, end] = FILE_NAME.exec(name) ?? [];
      if (id === undefined || end !== 'safetensors' || Number(digits) < (found.get(id)?.number ?? 0)) continue;
      const label = await this.#label(name, bytes);
      if (label) found.set(id, { name, number: Number(digits), session: keptSession(id, label, bytes) });
    }
    return [...found.values()].sort((a, b) => b.session.keptAtMs - a.session.keptAtMs);
  }

  async #label(name: string, bytes: number): Promise<SessionLabel | null> {
    try {
      const prefix = await this.#drawer.read(name, 0, Math.min(bytes, PREFIX_BYTES));
      const header = await this.#drawer.read(name, 0, PREFIX_BYTES + headerBytes(prefix, bytes));
      const { metadata } = parseHeader(header, bytes);
      return v.parse(LabelSchema, JSON.parse(metadata.get('label') ?? ''));
    } catch {
      // Broken off while it was written, or of another version.
      return null;
    }
  }
}
