import { describe, expect, it } from 'vitest';
import type { DeviceStatus, RoomView } from '../../signaling/protocol/room-view.ts';
import { FetchedElsewhere, LATE_MS } from '../../web/session/chunks/fetched-elsewhere.ts';
import { HubPatience } from '../../web/session/chunks/hub-patience.ts';

const roomWith = (status: DeviceStatus, online = true): RoomView =>
  ({ host: 'host', devices: [{ id: 'host', online, status }] }) as never as RoomView;
const READY = roomWith({ kind: 'ready' });
const loading = (done: number) => roomWith({ kind: 'loading', done, total: 100 });
const at = (nowMs: number, change: object = {}) => ({
  ...{ nowMs, bytesLeft: 1e6, takenBytes: 1e6, room: READY, links: 1 },
  ...change,
});

/** Since second 0. */
function waiting(): HubPatience {
  const patience = new HubPatience();
  patience.begin(0, 0);
  return patience;
}

describe('a device that waits for the model from others', () => {
  it('turns to the hub after six seconds without news, and each piece of news begins them anew', () => {
    const patience = waiting();
    expect(patience.isOver(at(6000))).toBe(false);
    expect(patience.isOver(at(6001))).toBe(true);
    patience.news(5000);
    expect(patience.isOver(at(11_000))).toBe(false);
    expect(patience.isOver(at(11_001))).toBe(true);
  });

  it('waits for fifteen where the host has nothing yet, or the link to it is to come', () => {
    for (const change of [{ room: loading(0) }, { links: 0 }]) {
      const patience = waiting();
      expect(patience.isOver(at(9999, change))).toBe(false);
      // The time of a host that is loading counts from where it was last seen to have come further.
      const from = 'room' in change ? 9999 : 0;
      expect(patience.isOver(at(from + 15_000, change))).toBe(false);
      expect(patience.isOver(at(from + 15_001, change))).toBe(true);
    }
  });

  it('does not wait for a host that is away', () => {
    expect(
      waiting().isOver(at(6001, { room: roomWith({ kind: 'loading', done: 0, total: 9 }, false), links: 0 })),
    ).toBe(true);
  });

  it('waits on while the host comes further', () => {
    const patience = waiting();
    for (let second = 0; second <= 60; second += 12)
      expect(patience.isOver(at(second * 1000, { room: loading(second), bytesLeft: 1e5 }))).toBe(false);
    expect(patience.isOver(at(75_000, { room: loading(60), bytesLeft: 1e5 }))).toBe(false);
    expect(patience.isOver(at(75_001, { room: loading(60), bytesLeft: 1e5 }))).toBe(true);
  });

  it('is helped where the rest would take over a minute at the rate of what came, seen after ten seconds', () => {
    const patience = waiting();
    patience.news(10_001);
    // 100 bytes a second came: 6,000 in a minute.
    expect(patience.isOver(at(10_000, { takenBytes: 1000, bytesLeft: 7000 }))).toBe(false);
    expect(patience.isOver(at(10_001, { takenBytes: 1001, bytesLeft: 5999 }))).toBe(false);
    expect(patience.isOver(at(10_001, { takenBytes: 1001, bytesLeft: 6100 }))).toBe(true);
  });
});

describe('what others fetch from the hub', () => {
  const place = { file: 'model.safetensors', chunk: 3 };

  it('is one chunk of each, and nobody else’s until its device is late', () => {
    const elsewhere = new FetchedElsewhere();
    elsewhere.says('ada', place, 1000);
    expect(elsewhere.has(place, 1000 + LATE_MS)).toBe(true);
    expect(elsewhere.has({ ...place, chunk: 4 }, 1000)).toBe(false);
    // Said once more, it is as late as before.
    elsewhere.says('ada', place, 5000);
    expect(elsewhere.has(place, 1001 + LATE_MS)).toBe(false);
    elsewhere.says('ben', place, 6000);
    expect(elsewhere.has(place, 1001 + LATE_MS)).toBe(true);
    elsewhere.says('ben', { ...place, chunk: 4 }, 7000);
    expect(elsewhere.has(place, 7000)).toBe(true);
    expect(elsewhere.has({ ...place, chunk: 4 }, 7000)).toBe(true);
  });

  it('is free again when its device is gone', () => {
    const elsewhere = new FetchedElsewhere();
    elsewhere.says('ada', place, 0);
    elsewhere.gone('ada');
    expect(elsewhere.has(place, 0)).toBe(false);
  });
});
