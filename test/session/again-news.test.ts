import { describe, expect, it } from 'vitest';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { RoomView } from '../../signaling/protocol/room-view.ts';
import { AgainNews } from '../../web/session/view/again-news.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

/** A slow profile whose whole pass takes so many times as long: its overhead, too. */
const slower = (times: number, link = 1e7): Profile => ({
  ...profile(times, link),
  overheadSeconds: times * profile().overheadSeconds,
});

function room(used: readonly string[] | null, phone: Profile | null): RoomView {
  const part = { layers: [], head: true, samples: { start: 0, count: 1 }, microBatch: 1, memoryBytes: 0 };
  const seconds = { share: 1, uploadBits: 0, computeSeconds: 1, uploadSeconds: 0 };
  const device = (id: string, own: Profile | null): RoomView['devices'][number] => ({
    ...{ id, name: `the ${id}`, kind: 'tab', status: { kind: 'ready' }, hidden: false, linked: true, online: true },
    ...{ peerId: null, profile: own },
  });
  return {
    ...{ id: 'abc234', settings: SETTINGS, phase: 'training', host: 'host', planNote: null },
    devices: [device('host', profile()), device('phone', phone)],
    plan: used && {
      ...{ version: 1, policy: 'single', solver: '', solveMs: 0, latencySeconds: 1, lowerBoundSeconds: 1 },
      ...{ limitedBy: '', explanation: '' },
      assignments: used.map((id) => ({ device: id, ...part, ...seconds })),
    },
  };
}

/** What is told of a room that changes so. */
function told(...rooms: readonly RoomView[]): readonly string[] {
  const news = new AgainNews();
  return rooms.flatMap((after, i) => news.heard(rooms[i - 1] ?? null, after, 'self'));
}

const slow = slower(4);
const quick = slower(1);

describe('a device that was measured again', () => {
  it('is told of once the plan uses it, by what became faster', () => {
    const faster = 'the phone was measured again: 4 times as fast as at first; the plan uses it now.';
    expect(
      told(room(['host'], slow), room(['host'], quick), room(['host', 'phone'], quick), room(['host', 'phone'], quick)),
    ).toEqual([faster]);
    // In one change.
    expect(told(room(['host'], slow), room(['host', 'phone'], quick))).toEqual([faster]);
    // In two steps, and with a moment without a plan.
    expect(
      told(
        room(['host'], slow),
        room(['host'], slower(2)),
        room(null, slower(2)),
        room(['host'], quick),
        room(['host', 'phone'], quick),
      ),
    ).toEqual([faster]);
    const link = slower(4, 1.25e8);
    expect(told(room(['host'], slow), room(['host'], link), room(['host', 'phone'], link))).toEqual([
      'the phone was measured again: its link is 13 times as fast as at first; the plan uses it now.',
    ]);
  });

  it('is this device, where it is', () => {
    const news = new AgainNews();
    expect(news.heard(room(['host'], slower(2.5)), room(['host', 'phone'], quick), 'phone')).toEqual([
      'This device was measured again: 2.5 times as fast as at first; the plan uses it now.',
    ]);
  });

  it('is not told of where the plan used it before, goes on without it, uses it for another reason, or where it is gone', () => {
    expect(told(room(['host', 'phone'], slow), room(['host', 'phone'], quick))).toEqual([]);
    expect(told(room(['host'], slow), room(['host'], quick))).toEqual([]);
    expect(told(room(['host'], slow), room(['host', 'phone'], slow))).toEqual([]);
    expect(told(room(['host'], slow), room(['host'], { ...slow }), room(['host', 'phone'], slow))).toEqual([]);
    expect(told(room(['host'], null), room(['host', 'phone'], quick))).toEqual([]);
    const gone = { ...room(['host'], quick), devices: room(['host'], quick).devices.slice(0, 1) };
    expect(told(room(['host'], slow), room(['host'], quick), gone, room(['host', 'phone'], quick))).toEqual([]);
  });
});
