import { expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../signaling/connection/bounds/limits.ts';
import { newCore, stepCore } from '../../signaling/connection/step.ts';
import { ROOM_ID_ALPHABET } from '../../signaling/protocol/ids.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { device, SECRETS } from './play.ts';

it.each([
  [0, 1],
  [0, 2],
  [1, 2],
  [2, 3],
  [6, 7],
  [30, 31],
])('process %i of %i makes codes of its own share alone, all that are in it', (index, count) => {
  const core = newCore({ ...DEFAULT_LIMITS, roomsOfAddress: 1000 }, SECRETS, [], { index, count });
  for (let i = 0; i < 93; i++) {
    stepCore(core, { type: 'opened', connection: i, address: 'a', introduction: null }, 0);
    const message = { type: 'create', version: PROTOCOL_VERSION, device: device(`hosthost${i}`), settings: SETTINGS };
    const text = JSON.stringify({ ...message, ...OPEN_DOOR });
    // The last of them are codes that are taken.
    const random = new Uint8Array(16).fill(i % 62);
    stepCore(core, { type: 'text', connection: i, text, random }, 0);
  }
  const firsts = new Set([...core.rooms.keys()].map((code) => code[0]));
  const expected = Array.from(ROOM_ID_ALPHABET).filter((_, i) => i % count === index);
  expect([core.rooms.size, [...firsts].sort()]).toEqual([93, expected.sort()]);
});
