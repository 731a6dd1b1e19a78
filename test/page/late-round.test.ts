import { describe, expect, it } from 'vitest';
import { hostAway } from '../../web/page/cloth/host-away.ts';
import { lateAfterSeconds, lateSentence, waitedFor } from '../../web/page/cloth/late-round.ts';
import { ownState } from '../../web/page/own/own-words.ts';
import { headline } from '../../web/page/session/headline.ts';
import { device, plan, room, rounds, view } from './gallery/scenarios.ts';

const three = plan(6, [
  { place: 0, layers: [0, 1] },
  { place: 1, layers: [2, 3, 4, 5], head: true },
]);
const devices = [device(0), device(1), device(2)];
const training = room({ devices, plan: three });
const ids = devices.map(({ id }) => id);

describe('a round is late', () => {
  const steady = (seconds: number) => rounds(8, three).map((report) => ({ ...report, elapsedSeconds: seconds }));
  it('after twice its prediction, or twice what rounds take here where that is more', () => {
    expect(lateAfterSeconds({ latencySeconds: 4 }, [])).toBe(8);
    expect(lateAfterSeconds({ latencySeconds: 4 }, steady(3))).toBe(8);
    expect(lateAfterSeconds({ latencySeconds: 4 }, steady(6))).toBe(12);
  });

  it('and not before anybody wonders', () => {
    expect(lateAfterSeconds({ latencySeconds: 0.1 }, steady(0.2))).toBe(2.5);
  });
});

describe('waitedFor', () => {
  const activity = {
    round: 9,
    devices: [
      { device: ids[0]!, received: 2, expected: 2 },
      { device: ids[1]!, received: 1, expected: 5 },
      { device: 'gone', received: 0, expected: 1 },
    ],
  };
  it('is who has not handed in, of those that are here', () => {
    expect(waitedFor(training, activity, 9)).toEqual([ids[1]]);
  });

  it('is everybody with a part before the host told anything of this round', () => {
    expect(waitedFor(training, null, 9)).toEqual(ids.slice(0, 2));
    expect(waitedFor(training, activity, 10)).toEqual(ids.slice(0, 2));
    expect(waitedFor({ ...training, plan: null }, null, 9)).toEqual([]);
  });

  it('is said with what is known of why, and with three names at most', () => {
    const hidden = { ...training, devices: [device(0), device(1, { hidden: true }), device(2)] };
    expect(lateSentence(hidden, [ids[1]!], ids[0]!)).toContain('waits for Pixel 8, whose tab is in the background.');
    expect(lateSentence(training, [ids[0]!, ids[1]!], ids[0]!)).toContain('waits for this device and Pixel 8.');
    const five = Array.from({ length: 5 }, (_, place) => device(place));
    const names = lateSentence(
      { plan: three, devices: five },
      five.map(({ id }) => id),
      '',
    );
    expect(names).toContain('waits for Linen Shuttle, Pixel 8, Old ThinkPad and 2 more.');
  });
});

describe('a host that is away', () => {
  const gone = room({ devices: [device(0, { online: false }), device(1)], plan: three });
  const mine = (change = {}) =>
    view({ role: 'device', self: ids[1]!, room: gone, rounds: rounds(9, three), ...change });

  it('is what a device says first, and not how long it would last', () => {
    const away = hostAway(mine());
    expect(away?.title).toBe('The host is away');
    expect(headline(mine())).toEqual(away);
    expect(ownState(mine({ linkTrouble: 'The connection failed.' }), 'About 30 s left.')).toEqual(away);
    expect(headline(mine({ role: 'watcher' }))).toEqual(away);
  });

  it('is not one whose link is up: training goes on without the server', () => {
    expect(hostAway(mine({ proofs: { [ids[1]!]: { proof: 'secret', digits: null } } }))).toBeNull();
    expect(hostAway(view({ room: gone }))).toBeNull();
    expect(hostAway(mine({ room: { ...gone, phase: 'finished' } }))).toBeNull();
    expect(hostAway(mine({ room: training }))).toBeNull();
  });

  it('is followed by another device, or waited for: whichever it is, is said', () => {
    const task = { ...gone.settings.task, id: 'own' };
    const own = { ...gone, settings: { ...gone.settings, task } };
    expect(hostAway(mine())?.detail).toContain('another device goes on in its place, or the session waits for it');
    expect(hostAway(mine({ follows: true }))?.detail).toContain('this device or another one goes on in its place');
    expect(hostAway(mine({ room: own }))?.detail).toContain('Its table is private: the session waits for it, unless');
    expect(hostAway(mine({ room: own, follows: true }))?.detail).toContain('this device or another one');
  });
});
