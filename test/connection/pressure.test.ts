import { describe, expect, it } from 'vitest';
import { MAX_UNSEEN_BYTES, PING_MS, STAYS_BEHIND_MS, TELL_MS } from '../../signaling/connection/bounds/limits.ts';
import type { Effect } from '../../signaling/connection/core.ts';
import { stepCore } from '../../signaling/connection/step.ts';
import { MAX_DEVICE_VIEW_BYTES } from '../../signaling/protocol/limits.ts';
import type { ClientMessage, ServerMessage } from '../../signaling/protocol/messages.ts';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { profile } from '../protocol/samples.ts';
import { device, Play } from './play.ts';

const report = (round: number, devices: readonly string[] = []): RoundReport => ({
  round,
  planVersion: 1,
  loss: 1 / (round + 2),
  learningRate: 1e-3,
  gradientNorm: 1,
  elapsedSeconds: 0.2,
  reassigned: 0,
  devices: devices.map((id) => ({
    device: id,
    samples: 8,
    deepestDepth: 3,
    computeSeconds: 1 / 7,
    uploadSeconds: 1 / 9,
    uploadBits: 1e6,
  })),
});
const news = (said: readonly ServerMessage[]) => said.flatMap((m) => (m.type === 'news' ? [m] : []));
const bytesOf = (said: readonly ServerMessage[]): number =>
  said.reduce((sum, message) => sum + JSON.stringify(message).length, 0);

describe('somebody who does not say what it has seen', () => {
  it('is sent a bounded number of bytes, then nothing, and is closed', () => {
    const play = new Play();
    const { connection, room } = play.host();
    const deaf = play.join(room, 'deafdeaf');
    play.said(deaf);
    play.ignorant.add(deaf);
    let bytes = 0;
    let round = 0;
    const startMs = play.nowMs;
    // It is there and talks: it only does not listen.
    while (!play.closed.includes(deaf) && play.nowMs - startMs < 120_000) {
      play.send(connection, { type: 'round', report: report(round++, Array(60).fill('deafdeaf')) });
      play.send(deaf, { type: 'hidden', hidden: round % 2 === 0 });
      play.pass(100);
      bytes += bytesOf(play.said(deaf));
    }
    expect(play.closed).toEqual([deaf]);
    expect(play.nowMs - startMs).toBeGreaterThanOrEqual(STAYS_BEHIND_MS);
    expect(play.nowMs - startMs).toBeLessThanOrEqual(STAYS_BEHIND_MS + PING_MS + 200);
    expect(bytes).toBeGreaterThan(MAX_UNSEEN_BYTES / 4);
    expect(bytes).toBeLessThan(MAX_UNSEEN_BYTES + 128 * 1024);
  });

  it('gets the newest at once when it has caught up, and nothing of what was in between', () => {
    const play = new Play();
    const { connection, room } = play.host();
    const slow = play.join(room, 'slowslow');
    play.ignorant.add(slow);
    play.pass(1000);
    play.said(slow);
    let edition = 0;
    for (let i = 0; i < 60; i++) {
      play.send(connection, { type: 'hidden', hidden: i % 2 === 0 });
      play.send(connection, { type: 'round', report: report(i) });
      play.pass(TELL_MS + 10);
      edition = news(play.said(slow)).at(-1)?.edition ?? edition;
    }
    play.send(connection, { type: 'phase', phase: 'paused' });
    play.send(slow, { type: 'seen', edition });
    play.pass(TELL_MS + 10);
    const said = play.said(slow);
    expect(news(said)).toHaveLength(1);
    expect(news(said)[0].change.phase).toBe('paused');
    // All rounds that it missed, in one piece.
    const rounds = said.flatMap((m) => (m.type === 'history' ? m.rounds : []));
    expect(rounds.length).toBeGreaterThan(10);
    expect(rounds.at(-1)?.round).toBe(59);
  });
});

describe('news', () => {
  it('tells everybody the settings once, on entering', () => {
    const play = new Play();
    const { connection, room } = play.host();
    const tab = play.join(room, 'tabtabtab');
    for (let i = 0; i < 10; i++) {
      play.send(connection, { type: 'policy', policy: i % 2 === 0 ? 'single' : 'crunch' });
      play.send(tab, { type: 'profile', profile: profile(i + 1) });
      play.pass(1000);
    }
    const said = play.said(tab);
    expect(said.filter((m) => JSON.stringify(m).includes('"vocabSize"')).map((m) => m.type)).toEqual(['welcome']);
    expect(
      news(said)
        .slice(1)
        .every((m) => m.since !== null),
    ).toBe(true);
    expect(news(said).at(-1)?.change.policy).toBe('crunch');
  });

  it('is told whole to whoever asks, a few times', () => {
    const play = new Play();
    const { room } = play.host();
    const tab = play.join(room, 'tabtabtab');
    play.said(tab);
    const answers = Array.from({ length: 8 }, () => {
      play.send(tab, { type: 'resync' });
      return play.said(tab).map((m) => (m.type === 'news' && m.since === null ? 'whole' : m.type));
    });
    expect(answers.flat()).toEqual([...Array(5).fill('whole'), ...Array(3).fill('error')]);
    play.pass(10_000);
    play.send(tab, { type: 'resync' });
    expect(news(play.said(tab)).some((m) => m.since === null)).toBe(true);
  });

  it('of activity is the newest alone, and never the host’s own', () => {
    const play = new Play();
    const { connection, room } = play.host();
    const tab = play.join(room, 'tabtabtab');
    play.pass(1000);
    play.said(tab);
    play.said(connection);
    for (let received = 1; received <= 5; received++)
      play.send(connection, {
        type: 'activity',
        activity: { round: 1, devices: [{ device: 'tabtabtab', received, expected: 7 }] },
      });
    play.pass(TELL_MS + 10);
    expect(news(play.said(tab)).map((m) => m.activity?.devices[0].received)).toEqual([5]);
    expect(news(play.said(connection)).filter((m) => m.activity !== undefined)).toEqual([]);
  });

  it('of ten rooms of 64 in training stays under 5 MB a second', () => {
    // One room; ten are ten times as much.
    const play = new Play();
    const { connection, room } = play.host();
    const tabs = Array.from({ length: 63 }, (_, i) => {
      const id = `tabtab${String(i).padStart(6, '0')}`;
      const tab = play.join(room, id);
      play.send(connection, { type: 'linked', device: id, linked: true });
      play.send(tab, { type: 'profile', profile: profile(1 + (i % 7) / 7) });
      return { id, tab };
    });
    const ids = tabs.map(({ id }) => id);
    let bytes = 0;
    const say = (from: number, message: ClientMessage): void => {
      const random = new Uint8Array(16);
      const effects: readonly Effect[] = stepCore(
        play.core,
        { type: 'text', connection: from, text: JSON.stringify(message), random },
        play.nowMs,
      );
      for (const effect of effects) if (effect.type === 'send') bytes += effect.to.length * effect.text.length;
    };
    const tick = (): void => {
      const seen: [number, number][] = [];
      for (const effect of stepCore(play.core, { type: 'time' }, play.nowMs)) {
        if (effect.type !== 'send') continue;
        bytes += effect.to.length * effect.text.length;
        const edition = /"edition":(\d+)/.exec(effect.text)?.[1];
        if (edition !== undefined) for (const to of effect.to) seen.push([to, Number(edition)]);
      }
      for (const [to, edition] of seen) say(to, { type: 'seen', edition });
    };
    // What all of them heard of each other on coming is no churn.
    for (let i = 0; i < 50; i++) {
      play.nowMs += 200;
      tick();
    }
    bytes = 0;
    const SECONDS = 20;
    const rounds = SECONDS * 2;
    for (let round = 1; round <= rounds; round++) {
      for (let beat = 0; beat < 3; beat++) {
        const devices = ids.map((id) => ({ device: id, received: 2 * beat, expected: 7 }));
        say(connection, { type: 'activity', activity: { round, devices } });
        play.nowMs += 500 / 3;
        tick();
      }
      say(connection, { type: 'round', report: report(round, ids) });
      // Churn: tabs go to the background, profiles drift, somebody loads.
      const { tab } = tabs[(7 * round) % tabs.length];
      say(tab, { type: 'hidden', hidden: round % 2 === 0 });
      if (round % 4 === 0) say(tab, { type: 'profile', profile: profile(1 + (round % 5)) });
    }
    expect(play.closed).toEqual([]);
    const ofTenRooms = (10 * bytes) / SECONDS;
    expect(ofTenRooms).toBeGreaterThan(100_000);
    expect(ofTenRooms).toBeLessThan(5_000_000);
  });
});

describe('what a device says of itself', () => {
  it('is left out when it would take more than its part of a view', () => {
    const play = new Play();
    const { room } = play.host();
    const tab = play.join(room, 'tabtabtab');
    play.send(tab, { type: 'profile', profile: profile() });
    play.said(tab);
    const long = '界'.repeat(400);
    play.send(tab, { type: 'status', status: { kind: 'failed', sentence: long } });
    const state = () => play.core.rooms.get(room)?.state.devices.find(({ id }) => id === 'tabtabtab');
    expect(state()?.status.kind).toBe('failed');
    expect(JSON.stringify(state()).length).toBeLessThan(MAX_DEVICE_VIEW_BYTES);
  });

  it('keeps names apart that a person would take for the same', () => {
    const play = new Play();
    const { room } = play.host();
    const names = ['Ann', 'Ａｎｎ', 'ann', 'A\u200bnn'];
    for (const [i, name] of names.entries()) {
      const connection = play.open();
      play.send(connection, {
        type: 'join',
        version: PROTOCOL_VERSION,
        device: { ...device(`guest000${i}`), name },
        room,
        watch: false,
      });
    }
    expect(play.core.rooms.get(room)?.state.devices.map(({ name }) => name)).toEqual([
      'hosthost',
      'Ann',
      'Ａｎｎ 2',
      'ann 3',
      'Ann 4',
    ]);
  });
});
