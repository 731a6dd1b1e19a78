import { describe, expect, it } from 'vitest';
import { HIDDEN_HOST_SILENT_MS, HOST_QUIET_MS, HOST_SILENT_MS } from '../../signaling/connection/bounds/limits.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { device, Play } from './play.ts';

/**
 * A host on a connection that stays open, silent but for what `run` lets it say, and two devices that speak every second and answer what they
 * are asked. Times count from the host's last word.
 */
function scene({ linked = false, hidden = false }: { linked?: boolean; hidden?: boolean } = {}) {
  const play = new Play();
  const { connection: host, room } = play.host();
  const devices = ['aaaaaaaa', 'bbbbbbbb'].map((id) => play.join(room, id));
  if (hidden) play.send(host, { type: 'hidden', hidden: true });
  play.pass(300);
  for (const connection of [host, ...devices]) play.said(connection);
  play.ignorant.add(host);
  play.send(host, { type: 'ping' });
  play.said(host);
  const startMs = play.nowMs;
  const links = { up: linked };
  const asked: number[] = [];
  const hostless: number[] = [];
  const offers: [atMs: number, connection: number, term: number][] = [];
  const run = (ms: number, behaves: { answers?: boolean; pingsEveryMs?: number } = {}): void => {
    const { answers = false, pingsEveryMs = Number.POSITIVE_INFINITY } = behaves;
    for (let t = 100; t <= ms; t += 100) {
      play.pass(100);
      const atMs = play.nowMs - startMs;
      if (t % pingsEveryMs === 0) play.send(host, { type: 'ping' });
      for (const message of play.said(host)) {
        if (message.type !== 'ping') continue;
        asked.push(atMs);
        if (answers) play.send(host, { type: 'pong' });
      }
      for (const [i, connection] of devices.entries()) {
        if (t % 1000 === 0) play.send(connection, { type: 'ping' });
        for (const message of play.said(connection)) {
          if (message.type === 'offer') offers.push([atMs, connection, message.term]);
          if (message.type !== 'hostless') continue;
          if (i === 0) hostless.push(atMs);
          play.send(connection, { type: 'holding', term: 1, round: 6 + i, able: true, linked: links.up });
        }
      }
    }
  };
  const lost = () => play.core.rooms.get(room)?.succession.lost ?? null;
  const state = () => play.core.rooms.get(room)?.state;
  return { play, room, host, devices, links, run, asked, hostless, offers, lost, state };
}

describe('a host that hangs, with its connection open', () => {
  it('is asked, and its role is offered to the newest round within 10 s of its last word', () => {
    const { play, room, host, devices, run, asked, offers, state } = scene();
    run(10_000);
    expect(asked[0]).toBe(HOST_QUIET_MS);
    expect(offers).toEqual([[expect.any(Number), devices[1], 2]]);
    const taken = play.open();
    play.send(taken, {
      ...{ type: 'create', version: PROTOCOL_VERSION, device: device('bbbbbbbb'), settings: SETTINGS, room },
      ...{ ...OPEN_DOOR, term: 2 },
    });
    expect(state()?.host).toBe('bbbbbbbb');
    // It is told, should it wake up.
    expect(play.said(host)).toContainEqual(expect.objectContaining({ type: 'error', why: 'deposed' }));
    expect(play.closed).toContain(host);
  });

  it('is asked a few times, not for ever', () => {
    const { run, asked } = scene();
    run(14_000);
    expect(asked.length).toBe(2);
  });

  it('is host as before with its next word, and an offer that nobody took is over', () => {
    const { play, room, host, run, offers, lost, state } = scene();
    run(10_000);
    expect(offers.length).toBe(1);
    play.send(host, { type: 'ping' });
    expect(lost()).toBeNull();
    const late = play.open();
    play.send(late, {
      ...{ type: 'create', version: PROTOCOL_VERSION, device: device('bbbbbbbb'), settings: SETTINGS, room },
      ...{ ...OPEN_DOOR, term: 2 },
    });
    expect(state()?.host).toBe('hosthost');
    // And it is looked after as before: should it hang again, the next term is offered.
    run(10_000);
    expect(offers.map(([, , term]) => term)).toEqual([2, 3]);
  });

  it('is noticed when it is the one that took over, too', () => {
    const { play, room, devices, run } = scene();
    run(10_000);
    const taken = play.open();
    play.send(taken, {
      ...{ type: 'create', version: PROTOCOL_VERSION, device: device('bbbbbbbb'), settings: SETTINGS, room },
      ...{ ...OPEN_DOOR, term: 2 },
    });
    play.ignorant.add(taken);
    play.said(devices[0]);
    play.pass(HOST_SILENT_MS + 500);
    expect(play.said(devices[0]).map(({ type }) => type)).toContain('hostless');
  });

  it('is left alone while it answers, or speaks by itself, which takes no question', () => {
    const quiet = scene();
    quiet.run(60_000, { answers: true });
    expect(quiet.asked.length).toBeLessThanOrEqual(12);
    expect(quiet.hostless).toEqual([]);
    const usual = scene();
    usual.run(60_000, { pingsEveryMs: 4000 });
    expect([usual.asked, usual.hostless]).toEqual([[], []]);
  });

  it('has the time of everybody once training is finished, when it may be writing files', () => {
    const { play, host, run, offers, hostless } = scene();
    play.send(host, { type: 'phase', phase: 'finished' });
    run(40_000);
    expect([hostless, offers]).toEqual([[], []]);
    run(20_000);
    expect(offers.length).toBe(1);
  });

  it('does not change how often devices are asked', () => {
    const { play, devices } = scene();
    play.pass(14_000);
    expect(play.said(devices[0]).filter(({ type }) => type === 'ping')).toEqual([]);
  });
});

describe('a host in the background', () => {
  it('whose timers run once a minute stays host: it answers what it is asked', () => {
    const { run, hostless, offers } = scene({ hidden: true });
    run(180_000, { answers: true, pingsEveryMs: 60_000 });
    expect([hostless, offers]).toEqual([[], []]);
  });

  it('has more time than one in front', () => {
    const { run, hostless, offers } = scene({ hidden: true });
    run(HIDDEN_HOST_SILENT_MS - 100);
    expect(hostless).toEqual([]);
    run(3000);
    expect(hostless.length).toBe(1);
    expect(offers.length).toBe(1);
  });

  it.each([true, false])(
    'keeps its role for as long as its links work, however silent it is here (hidden: %s)',
    (hidden) => {
      const { links, run, hostless, offers, state } = scene({ hidden, linked: true });
      run(60_000);
      expect(offers).toEqual([]);
      expect(state()?.host).toBe('hosthost');
      // Devices are asked again and again, so that it is noticed when they end.
      const asked = hostless.length;
      expect(asked).toBeGreaterThan(15);
      expect(asked).toBeLessThan(30);
      links.up = false;
      run(2500);
      expect(offers.length).toBe(1);
    },
  );
});
