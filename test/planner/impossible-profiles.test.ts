import * as v from 'valibot';
import { expect, it } from 'vitest';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import { RoomPlanSchema } from '../../signaling/protocol/plan.ts';
import { type Profile, ProfileSchema } from '../../signaling/protocol/profile.ts';
import { NO_PLANNING, roomProblem } from '../../signaling/room/planning.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

/** Devices may state what they like: a plan is one that everybody in the room can read, or there is none. */

const fixedSeconds = { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 };
const parts = { fixedSeconds, embeddingBytes: 1e6, layerBytes: 1e6, headBytes: 1e6 };
const able: Profile = { ...profile(), parts };

it('devices whose links take longer than there are numbers for get a plan that can be told, or none', () => {
  const others: Profile = { ...able, linkBitsPerSecond: 5e-324 };
  const devices = Array.from({ length: 4 }, (_, i) => ({
    ...{ id: `device${i}`, name: `Device ${i}`, profile: i === 0 ? able : others, holds: null },
  }));
  const settings = { ...SETTINGS, policy: 'split' as const };
  const answer = planRoom(roomProblem(settings, 'device0', devices, NO_PLANNING.fits));
  const told: unknown = answer.feasible ? JSON.parse(JSON.stringify({ ...answer.plan, version: 1 })) : null;
  expect(told === null || v.is(RoomPlanSchema, told), JSON.stringify(told)).toBe(true);
});

it('a rate below a bit a second is none', () => {
  for (const field of ['linkBitsPerSecond', 'downloadBitsPerSecond'] as const) {
    expect(v.is(ProfileSchema, { ...able, [field]: 0.999 })).toBe(false);
    expect(v.is(ProfileSchema, { ...able, [field]: 1 })).toBe(true);
  }
});
