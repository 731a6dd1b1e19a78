import { describe, expect, it } from 'vitest';
import { announcement } from '../../web/page/session/announce.ts';
import { device, plan, room, rounds, scores, view, withStatus } from './gallery/scenarios.ts';

const two = plan(6, [
  { place: 0, layers: [0, 1, 2] },
  { place: 1, layers: [3, 4, 5], head: true },
]);
const devices = [device(0), device(1)];
const gathering = room({ phase: 'gathering', devices, plan: two });
const training = room({ devices, plan: two });
const asDevice = { role: 'device' as const, self: device(1).id };
const at = (count: number) => view({ ...asDevice, room: training, rounds: rounds(count, two) });

describe('announcement', () => {
  it('tells of the start and of this device’s own work', () => {
    const before = view({ ...asDevice, room: gathering });
    expect(announcement(before, at(0))).toBe('Training has started. You are training layers 3–5 and the head.');
  });

  it('is silent for single rounds and speaks at every tenth of them', () => {
    expect(announcement(at(10), at(11))).toBeNull();
    expect(announcement(at(11), at(12))).toMatch(/^Round 12 of 120, loss 0\.\d\d\.$/);
    expect(announcement(at(12), at(23))).toBeNull();
  });

  it('tells who came, went and failed', () => {
    const now = (list: typeof devices) => view({ room: { ...training, devices: list } });
    expect(announcement(now(devices), now([...devices, device(2)]))).toBe('Old ThinkPad joined.');
    expect(announcement(now(devices), now([device(0)]))).toBe('Pixel 8 left.');
    expect(
      announcement(now(devices), now([device(0), withStatus(1, { kind: 'failed', sentence: 'No memory.' })])),
    ).toBe('Pixel 8 cannot go on.');
  });

  it('tells who leads when the host went away', () => {
    const before = view({ ...asDevice, room: { ...training, devices: [...devices, device(2)] } });
    const led = (place: number, role: 'host' | 'device') =>
      view({
        role,
        self: device(1).id,
        room: { ...training, host: device(place).id, devices: [...devices, device(2)] },
      });
    expect(announcement(before, led(1, 'host'))).toBe('The host went away; this device leads the session now.');
    expect(announcement(before, led(2, 'device'))).toBe('Old ThinkPad leads the session now.');
  });

  it('tells the host once of each device at the door, and a device that it waits', () => {
    const at = (...places: number[]) =>
      view({
        room: gathering,
        waiting: places.map((place) => {
          const { id, name, kind } = device(place);
          return { id, name, kind, watch: false, withPass: true, likeRemoved: false };
        }),
      });
    expect(announcement(at(), at(2))).toBe('Old ThinkPad waits at your door.');
    expect(announcement(at(2), at(2, 4))).toBe('Studio waits at your door.');
    expect(announcement(at(2, 4), at(4))).toBeNull();
    const atDoor = 'The host has to let you in. It sees that you wait.';
    const waits = view({ ...asDevice, status: { kind: 'joining' }, atDoor });
    expect(announcement(view({ ...asDevice, status: { kind: 'joining' } }), waits)).toBe(atDoor);
    expect(announcement(waits, { ...waits })).toBeNull();
  });

  it('tells a new plan only where it changes this device’s work', () => {
    const other = plan(6, [
      { place: 0, layers: [0, 1, 2, 3] },
      { place: 1, layers: [4, 5], head: true },
    ]);
    const after = view({ ...asDevice, room: { ...training, plan: other } });
    expect(announcement(view({ ...asDevice, room: training }), after)).toBe(
      'You are training layers 4–5 and the head.',
    );
    const same = view({ ...asDevice, room: { ...training, plan: { ...two, version: 4 } } });
    expect(announcement(view({ ...asDevice, room: training }), same)).toBeNull();
  });

  it('tells scores and the end, once', () => {
    const scored = { ...at(21), scores: scores(20, 20) };
    expect(announcement(at(21), scored)).toMatch(/^Dev accuracy 66\.5 %\.$/);
    expect(announcement(scored, { ...scored })).toBeNull();
    const ended = { ...scored, ended: 'The host ended the session.' };
    expect(announcement(scored, ended)).toBe('The host ended the session.');
    expect(announcement(ended, { ...ended })).toBeNull();
  });
});
