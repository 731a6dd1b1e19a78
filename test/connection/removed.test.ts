import { describe, expect, it } from 'vitest';
import { MAX_REMOVED } from '../../signaling/protocol/door.ts';
import type { ClientMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { creates, entrances, first, hostClaimOf, PASS, passHash, refusal, remarks, scene } from './door-scene.ts';
import { device, Play } from './play.ts';

describe('whoever was removed', () => {
  it('is told why, is gone for all, and stays out, with every door and whatever it shows', () => {
    const { play, host, room, inside, say } = scene('link');
    const tab = play.join(room, 'tabtabtab', 'away', { pass: PASS });
    const claim = play.said(tab).find((m) => m.type === 'welcome')?.claim ?? '';
    say({ type: 'remove', device: 'tabtabtab' });
    expect(refusal(play.said(tab)).sentence).toBe('The host took this device out of the session.');
    expect(play.closed).toContain(tab);
    expect(inside()).toEqual(['hosthost']);
    for (const door of ['link', 'open', 'ask', 'locked'] as const) {
      say({ type: 'door', door, cap: 64 });
      const back = play.said(play.join(room, 'tabtabtab', 'elsewhere', { pass: PASS, claim }));
      expect(refusal(back)).toMatchObject({ why: 'removed' });
      // The same key under another name.
      const disguised = play.open('elsewhere');
      const renamed = { ...device('tabtabtab'), id: 'disguised0' };
      play.send(disguised, {
        type: 'join',
        version: PROTOCOL_VERSION,
        device: renamed,
        room,
        watch: false,
        pass: PASS,
      });
      expect(refusal(play.said(disguised))).toMatchObject({ why: 'removed' });
    }
    expect(remarks(play.said(host))).toEqual([]);
  });

  it('makes others from its address wait, with the pass and at an open door', () => {
    const { play, host, room, say } = scene('open');
    play.join(room, 'tabtabtab', 'away');
    play.join(room, 'friend000', 'away');
    say({ type: 'remove', device: 'tabtabtab' });
    play.pass(100);
    play.said(host);
    expect(first(play.said(play.join(room, 'newcomer0', 'away', { pass: PASS })))).toBe('waiting');
    expect(first(play.said(play.join(room, 'newcomer1', 'elsewhere')))).toBe('welcome');
    expect(first(play.said(play.join(room, 'friend000', 'away')))).toBe('welcome');
    play.pass(100);
    expect(entrances(play.said(host)).at(-1)?.waiting).toMatchObject([
      { id: 'newcomer0', withPass: true, likeRemoved: true },
    ]);
  });

  it('may be somebody who waits, or who was cut off just now', () => {
    const { play, room, inside, say } = scene('ask');
    const waits = play.join(room, 'waits0000', 'away');
    say({ type: 'remove', device: 'waits0000' });
    expect(refusal(play.said(waits))).toMatchObject({ why: 'removed' });
    expect(refusal(play.said(play.join(room, 'waits0000', 'elsewhere')))).toMatchObject({ why: 'removed' });
    const tab = play.join(room, 'tabtabtab', 'third place');
    say({ type: 'admit', device: 'tabtabtab' });
    play.drop(tab);
    say({ type: 'remove', device: 'tabtabtab' });
    expect(inside()).toEqual(['hosthost']);
    expect(refusal(play.said(play.join(room, 'tabtabtab', 'third place')))).toMatchObject({ why: 'removed' });
    say({ type: 'door', door: 'open', cap: 64 });
    expect(first(play.said(play.join(room, 'newcomer0', 'third place')))).toBe('waiting');
  });

  it('is still out when the host comes back, to this server or to one that forgot the room', () => {
    const { play, host, room, inside } = scene('open');
    play.join(room, 'tabtabtab', 'away');
    const claim = hostClaimOf(play, room);
    play.drop(host);
    // Decided while the server did not hear it.
    const again = play.open('home');
    const entry = {
      ...creates('hosthost'),
      room,
      claim,
      passHash,
      door: 'open' as const,
      removed: ['tabtabtab'],
    } satisfies ClientMessage;
    play.send(again, entry);
    expect(inside()).toEqual(['hosthost']);
    const restarted = new Play();
    restarted.send(restarted.open('home'), entry);
    expect(restarted.core.rooms.get(room)?.state.id).toBe(room);
    expect(refusal(restarted.said(restarted.join(room, 'tabtabtab', 'away')))).toMatchObject({ why: 'removed' });
  });

  it('is one of the last 128', () => {
    const { play, room, say } = scene('open');
    for (let i = 0; i <= MAX_REMOVED; i++) {
      say({ type: 'remove', device: `device${i}00` });
      play.pass(10);
    }
    expect(first(play.said(play.join(room, 'device000', 'away')))).toBe('welcome');
    for (const id of ['device100', `device${MAX_REMOVED}00`])
      expect(refusal(play.said(play.join(room, id, 'away')))).toMatchObject({ why: 'removed' });
  });

  it('is never the host itself', () => {
    const { play, host, inside, say } = scene('open');
    say({ type: 'remove', device: 'hosthost' });
    expect(remarks(play.said(host))).toEqual(['The host cannot remove itself; it can end the session.']);
    expect(inside()).toEqual(['hosthost']);
  });
});

describe('what only the host may say', () => {
  it.each<ClientMessage>([
    { type: 'door', door: 'open', cap: 64 },
    { type: 'admit', device: 'waits0000' },
    { type: 'refuse', device: 'waits0000' },
    { type: 'remove', device: 'hosthost' },
  ])('is left out from another device: $type', (message) => {
    const { play, room, inside } = scene('ask');
    const tab = play.join(room, 'tabtabtab', 'away');
    play.join(room, 'waits0000', 'elsewhere');
    const { host } = { host: play.core.rooms.get(room)?.seats.get('hosthost')?.connection ?? 0 };
    play.send(host, { type: 'admit', device: 'tabtabtab' });
    play.said(tab);
    play.send(tab, message);
    expect(remarks(play.said(tab))).toEqual(['Only the host may do this.']);
    expect(inside()).toEqual(['hosthost', 'tabtabtab']);
    expect(play.core.rooms.get(room)?.entrance).toMatchObject({ door: 'ask' });
    expect(play.core.rooms.get(room)?.entrance.waiting.size).toBe(1);
  });
});
