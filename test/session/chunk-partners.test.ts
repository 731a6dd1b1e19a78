import { describe, expect, it } from 'vitest';
import type { DeviceStatus, RoomView } from '../../signaling/protocol/room-view.ts';
import { chunkPartners } from '../../web/session/chunks/chunk-partners.ts';

const NAMES = ['host', 'a', 'b', 'c', 'd', 'e', 'f', 'g'];
function room(status: (name: string) => DeviceStatus['kind'] | 'offline'): RoomView {
  const devices = NAMES.map((id) => {
    const kind = status(id);
    return { id, online: kind !== 'offline', status: { kind: kind === 'offline' ? 'ready' : kind, done: 0, total: 1 } };
  });
  // What is looked at, and no more.
  return { host: 'host', devices } as never;
}

const pairs = (view: RoomView) =>
  NAMES.flatMap((self) => chunkPartners(view, self).below.map((other) => `${self}${other}`));

describe('with whom chunks are exchanged', () => {
  it('is a tree of all devices but the host, the same whoever asks', () => {
    const view = room(() => 'loading');
    expect(pairs(view)).toEqual(['ab', 'ac', 'bd', 'be', 'cf', 'cg']);
    for (const self of NAMES)
      for (const other of chunkPartners(view, self).below) expect(chunkPartners(view, other).above).toBe(self);
    expect(chunkPartners(view, 'host')).toEqual({ above: null, below: [] });
    expect(chunkPartners(view, 'a').above).toBe(null);
    expect(chunkPartners(view, 'stranger')).toEqual({ above: null, below: [] });
  });

  it('is nobody where both have what they need', () => {
    expect(pairs(room(() => 'ready'))).toEqual([]);
    // The newcomer alone: with the one above it, which has everything.
    const view = room((name) => (name === 'e' ? 'joining' : 'ready'));
    expect(pairs(view)).toEqual(['be']);
    expect(chunkPartners(view, 'e').above).toBe('b');
  });

  it('is nobody who is away: others take the place', () => {
    expect(pairs(room((name) => (name === 'a' ? 'offline' : 'loading')))).toEqual(['bc', 'bd', 'ce', 'cf', 'dg']);
  });
});
