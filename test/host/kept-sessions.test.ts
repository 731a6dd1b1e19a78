import { beforeEach, describe, expect, it } from 'vitest';
import { type Checkpoint, encodeCheckpoint } from '../../worker/host/checkpoint.ts';
import { type Drawer, KeptSessions, labelMetadata } from '../../worker/host/kept-sessions.ts';
import { MINI_REQUEST } from './node-host.ts';

/** A disk that can break off in the middle of a file, or be full. */
class Disk implements Drawer {
  readonly files = new Map<string, Uint8Array>();
  room = Number.POSITIVE_INFINITY;
  /** In which kind of file the power goes, and how many of its bytes reach the disk before. */
  breakIn: { readonly end: string; readonly afterBytes: number } | null = null;
  #dark = false;

  restore(): void {
    [this.breakIn, this.#dark] = [null, false];
  }

  async list() {
    return [...this.files].map(([name, { length }]) => ({ name, bytes: length }));
  }
  async read(name: string, start: number, end: number) {
    return this.files.get(name)!.slice(start, end);
  }
  async write(name: string, bytes: Uint8Array) {
    if (bytes.length > this.room) throw new DOMException('full', 'QuotaExceededError');
    if (this.#dark) throw new PowerCut();
    if (this.breakIn === null || !name.endsWith(this.breakIn.end)) {
      this.files.set(name, bytes.slice());
      return;
    }
    // The first bytes come last, as in the browser's own storage.
    const { afterBytes } = this.breakIn;
    const part = new Uint8Array(afterBytes);
    if (afterBytes > 8) part.set(bytes.subarray(8, afterBytes), 8);
    this.files.set(name, part);
    this.#dark = true;
    throw new PowerCut();
  }
  async remove(name: string) {
    if (this.#dark) throw new PowerCut();
    this.files.delete(name);
  }
  async clear() {
    this.files.clear();
  }
}
class PowerCut extends Error {}

const { origin, model, weights, lora, training } = MINI_REQUEST;
function checkpoint(round: number, savedAtMs = round) {
  const label = { title: 'Task, model', deviceName: 'laptop', round, rounds: 20, savedAtMs };
  const state: Checkpoint = {
    request: { origin, model, weights, lora, training, task: { id: 'grammar', endpoint: '' } },
    dataFingerprint: 1,
    round,
    values: new Float32Array([round]),
    optimiser: { steps: round, firstMoment: new Float32Array(1), secondMoment: new Float32Array(1) },
    before: null,
    scores: [],
    best: null,
    devices: [],
    note: '',
  };
  return { label, bytes: encodeCheckpoint(state, labelMetadata(label)) };
}

let disk: Disk;
let kept: KeptSessions;
const keep = (id: string, round: number, savedAtMs = round) => {
  const { label, bytes } = checkpoint(round, savedAtMs);
  return kept.keep(id, label, { bytes, key: `key of round ${round}` });
};
const listed = async () => (await kept.list()).map(({ id, round }) => `${id} ${round}`);

beforeEach(() => {
  disk = new Disk();
  kept = new KeptSessions(disk);
});

describe('sessions on a device', () => {
  it('are listed with what they were labelled, each by its last checkpoint alone', async () => {
    const { bytes } = checkpoint(10);
    await keep('aaaaaaaa', 5);
    const session = await keep('aaaaaaaa', 10);
    expect(session).toEqual({
      id: 'aaaaaaaa',
      title: 'Task, model',
      deviceName: 'laptop',
      round: 10,
      rounds: 20,
      keptAtMs: 10,
      bytes: bytes.length,
    });
    expect(await kept.list()).toEqual([session]);
    expect([...disk.files.keys()]).toEqual(['aaaaaaaa.2.key', 'aaaaaaaa.2.safetensors']);
    expect(await kept.read('aaaaaaaa')).toEqual({ bytes, key: 'key of round 10' });
  });

  it('are at most five: the oldest goes', async () => {
    for (const [i, id] of ['aaaaaaaa', 'bbbbbbbb', 'cccccccc', 'dddddddd', 'eeeeeeee', 'ffffffff'].entries())
      await keep(id, 1, id === 'aaaaaaaa' ? 100 : i);
    expect(await listed()).toEqual(['aaaaaaaa 1', 'ffffffff 1', 'eeeeeeee 1', 'dddddddd 1', 'cccccccc 1']);
  });

  it('can be forgotten, one by one', async () => {
    await keep('aaaaaaaa', 1);
    await keep('bbbbbbbb', 2);
    await kept.forget('aaaaaaaa');
    expect([...disk.files.keys()]).toEqual(['bbbbbbbb.1.key', 'bbbbbbbb.1.safetensors']);
    expect(await listed()).toEqual(['bbbbbbbb 2']);
    await expect(kept.read('aaaaaaaa')).rejects.toThrow('is not kept on this device any more');
  });

  it('all go at once, with what was broken off and what nobody lists', async () => {
    await keep('aaaaaaaa', 1);
    await keep('bbbbbbbb', 2);
    disk.files.set('cccccccc.1.safetensors', new Uint8Array(30));
    const bytes = [...disk.files.values()].reduce((sum, { length }) => sum + length, 0);
    expect(await kept.deleteAll()).toEqual({ sessions: 2, bytes });
    expect(disk.files.size).toBe(0);
    expect(await kept.deleteAll()).toEqual({ sessions: 0, bytes: 0 });
  });

  it.each([
    ['key', 0],
    ['key', 12],
    ['safetensors', 0],
    ['safetensors', 4],
    ['safetensors', 8],
    ['safetensors', 40],
    ['safetensors', 200],
  ])('outlive, with their keys, a power cut in a newer .%s after %i bytes', async (end, bytes) => {
    await keep('aaaaaaaa', 5);
    disk.breakIn = { end, afterBytes: bytes };
    await expect(keep('aaaaaaaa', 10)).rejects.toThrow('could not be kept');
    disk.restore();
    expect(disk.files.size).toBe(end === 'key' ? 3 : 4);
    expect(await listed()).toEqual(['aaaaaaaa 5']);
    expect(await kept.read('aaaaaaaa')).toEqual({ bytes: checkpoint(5).bytes, key: 'key of round 5' });
    await keep('aaaaaaaa', 15);
    expect(await listed()).toEqual(['aaaaaaaa 15']);
    expect((await kept.read('aaaaaaaa')).key).toBe('key of round 15');
    expect(disk.files.size).toBe(2);
  });

  it('of release 0.1.0, which lie there without a key beside them, are read all the same', async () => {
    const { bytes } = checkpoint(5);
    disk.files.set('aaaaaaaa.7.safetensors', bytes);
    expect(await kept.read('aaaaaaaa')).toEqual({ bytes, key: null });
    await keep('aaaaaaaa', 6);
    expect([...disk.files.keys()]).toEqual(['aaaaaaaa.8.key', 'aaaaaaaa.8.safetensors']);
  });

  it('stay as they were when the browser has no more room, and the reason is a sentence', async () => {
    await keep('aaaaaaaa', 5);
    disk.room = 100;
    await expect(keep('aaaaaaaa', 10)).rejects.toThrow(
      'The session could not be kept on this device (the browser gives this page no more room).',
    );
    expect(await listed()).toEqual(['aaaaaaaa 5']);
    expect(disk.files.size).toBe(2);
  });

  it('leave alone what another tab is writing, and clear what it has replaced', async () => {
    await keep('aaaaaaaa', 5);
    const whole = checkpoint(10).bytes;
    disk.files.set('aaaaaaaa.2.key', new Uint8Array(4));
    disk.files.set('aaaaaaaa.2.safetensors', new Uint8Array(whole.length));
    await keep('bbbbbbbb', 1);
    expect([...disk.files.keys()].sort()).toEqual([
      'aaaaaaaa.1.key',
      'aaaaaaaa.1.safetensors',
      'aaaaaaaa.2.key',
      'aaaaaaaa.2.safetensors',
      'bbbbbbbb.1.key',
      'bbbbbbbb.1.safetensors',
    ]);
    disk.files.set('aaaaaaaa.2.safetensors', whole);
    await keep('bbbbbbbb', 2);
    expect([...disk.files.keys()].sort()).toEqual([
      'aaaaaaaa.2.key',
      'aaaaaaaa.2.safetensors',
      'bbbbbbbb.2.key',
      'bbbbbbbb.2.safetensors',
    ]);
    expect(await listed()).toEqual(['aaaaaaaa 10', 'bbbbbbbb 2']);
  });

  it('are cleared of what was replaced down to the oldest that stays', async () => {
    for (const [i, id] of ['aaaaaaaa', 'bbbbbbbb', 'cccccccc', 'dddddddd'].entries()) await keep(id, 1, 10 + i);
    disk.files.set('aaaaaaaa.2.safetensors', checkpoint(2, 10).bytes);
    await keep('eeeeeeee', 1, 20);
    const ofOldest = [...disk.files.keys()].filter((name) => name.startsWith('aaaaaaaa'));
    expect(ofOldest).toEqual(['aaaaaaaa.2.safetensors']);
    expect(await listed()).toEqual(['eeeeeeee 1', 'dddddddd 1', 'cccccccc 1', 'bbbbbbbb 1', 'aaaaaaaa 2']);
  });

  it('are told to be refused where the browser lets no page keep anything', async () => {
    disk.list = async () => {
      throw new DOMException('Security error when calling GetDirectory.', 'SecurityError');
    };
    await expect(keep('aaaaaaaa', 5)).rejects.toThrow(
      'The session could not be kept on this device (Security error when calling GetDirectory).',
    );
  });

  it('pass over files of others', async () => {
    disk.files.set('aaaaaaaa.1.safetensors', new TextEncoder().encode('not a checkpoint at all'));
    disk.files.set('notes.txt', new Uint8Array(9));
    await keep('bbbbbbbb', 1);
    expect(await listed()).toEqual(['bbbbbbbb 1']);
    expect(disk.files.has('notes.txt')).toBe(true);
  });
});
