import { describe, expect, it } from 'vitest';
import { WAITING_MS } from '../../signaling/connection/bounds/limits.ts';
import { passHashOf } from '../../signaling/protocol/door/secret.ts';
import { MAX_WAITING } from '../../signaling/protocol/door.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import {
  creates,
  entrances,
  first,
  hostClaimOf,
  PASS,
  passHash,
  refusal,
  remarks,
  scene,
  WRONG,
} from './door-scene.ts';
import { device, Play } from './play.ts';

describe('a door', () => {
  const shown = { 'the code alone': {}, 'the right pass': { pass: PASS }, 'a wrong pass': { pass: WRONG } } as const;
  it.each([
    ['link', 'the code alone', 'waiting'],
    ['link', 'the right pass', 'welcome'],
    ['link', 'a wrong pass', 'error'],
    ['ask', 'the code alone', 'waiting'],
    ['ask', 'the right pass', 'waiting'],
    ['ask', 'a wrong pass', 'error'],
    ['open', 'the code alone', 'welcome'],
    ['open', 'the right pass', 'welcome'],
    ['open', 'a wrong pass', 'error'],
    ['locked', 'the code alone', 'error'],
    ['locked', 'the right pass', 'error'],
    ['locked', 'a wrong pass', 'error'],
  ] as const)('that is "%s" answers a stranger with %s: %s', (door, what, answer) => {
    const { play, room, inside } = scene(door);
    const stranger = play.join(room, 'stranger', 'away', shown[what]);
    const said = play.said(stranger);
    expect(first(said)).toBe(answer);
    expect(inside()).toEqual(answer === 'welcome' ? ['hosthost', 'stranger'] : ['hosthost']);
    if (what === 'a wrong pass') expect(refusal(said)).toMatchObject({ why: 'pass' });
    else if (door === 'locked') expect(refusal(said).sentence).toContain('locked');
  });

  it('is a room’s own: a pass of one is none of another', () => {
    const { play, room } = scene('link');
    const other = play.host('otherhost0', 'elsewhere', { passHash: passHashOf(WRONG), door: 'link' });
    expect(first(play.said(play.join(room, 'stranger', 'away', { pass: WRONG })))).toBe('error');
    expect(first(play.said(play.join(other.room, 'stranger', 'away', { pass: WRONG })))).toBe('welcome');
  });

  it.each(['link', 'ask', 'open', 'locked'] as const)('that is "%s" lets those come back who had a seat', (door) => {
    const { play, host, room, inside, say } = scene('open');
    const tab = play.join(room, 'tabtabtab', 'away');
    const welcome = play.said(tab).find((m) => m.type === 'welcome');
    say({ type: 'door', door, cap: 64 });
    // Its seat is still there.
    play.drop(tab);
    const again = play.join(room, 'tabtabtab', 'away');
    expect(first(play.said(again))).toBe('welcome');
    // It left, and proves that it had one; nobody else can.
    play.send(again, { type: 'leave' });
    expect(inside()).toEqual(['hosthost']);
    const claim = welcome?.claim ?? '';
    expect(first(play.said(play.join(room, 'tabtabtab', 'elsewhere', { claim })))).toBe('welcome');
    play.send(play.join(room, 'tabtabtab', 'elsewhere'), { type: 'leave' });
    // Its link is an old one, and it is the device that it was all the same.
    expect(first(play.said(play.join(room, 'tabtabtab', 'elsewhere', { claim, pass: WRONG })))).toBe('welcome');
    const thief = play.open('elsewhere');
    const forged = { ...device('otherotherother'), name: 'tab' };
    play.send(thief, { type: 'join', version: PROTOCOL_VERSION, device: forged, room, watch: false, claim });
    expect(first(play.said(thief))).toBe({ link: 'waiting', ask: 'waiting', open: 'welcome', locked: 'error' }[door]);
    expect(remarks(play.said(host))).toEqual([]);
  });

  it('knows after a restart who had a seat, by what the server gave; in another host’s room it is worth nothing', () => {
    const { play, room } = scene('link');
    const claim = play
      .said(play.join(room, 'tabtabtab', 'away', { pass: PASS }))
      .find((m) => m.type === 'welcome')?.claim;
    const hostClaim = play.said(play.open()).length === 1 ? hostClaimOf(play, room) : '';
    const again = new Play();
    const host = again.open('home');
    again.send(host, { ...creates('hosthost'), room, claim: hostClaim, passHash, door: 'ask' });
    expect(first(again.said(host))).toBe('welcome');
    expect(first(again.said(again.join(room, 'tabtabtab', 'away', { claim: claim ?? '' })))).toBe('welcome');
    expect(first(again.said(again.join(room, 'strangers', 'away', { claim: claim ?? '' })))).toBe('waiting');
    // The same code, made again by its server for another host.
    const other = new Play();
    const { room: fresh } = other.host('otherhost0', 'home', { passHash: 'ab'.repeat(32), door: 'ask' });
    expect(fresh).toBe(room);
    expect(first(other.said(other.join(room, 'tabtabtab', 'away', { claim: claim ?? '' })))).toBe('waiting');
  });

  it('has room for so many, the host among them; nobody has to go when it is made less', () => {
    const { play, host, room, inside, say } = scene('open', { cap: 3 });
    for (const id of ['firstfirst', 'secondsecond']) play.join(room, id, 'away');
    const third = play.said(play.join(room, 'thirdthird', 'away'));
    expect(refusal(third).sentence).toBe('This session is full: the host lets 3 devices take part.');
    say({ type: 'door', door: 'ask', cap: 2 });
    expect(inside()).toHaveLength(3);
    expect(first(play.said(play.join(room, 'firstfirst', 'away')))).toBe('welcome');
    say({ type: 'door', door: 'ask', cap: 4 });
    const waits = play.join(room, 'thirdthird', 'away');
    say({ type: 'door', door: 'ask', cap: 3 });
    play.said(host);
    say({ type: 'admit', device: 'thirdthird' });
    expect(remarks(play.said(host))).toEqual(['This session is full: the host lets 3 devices take part.']);
    expect(first(play.said(waits))).toBe('waiting');
    say({ type: 'door', door: 'ask', cap: 4 });
    say({ type: 'admit', device: 'thirdthird' });
    expect(first(play.said(waits))).toBe('welcome');
  });

  it('that is set anew lets in who would come in now, and behind a locked one nobody waits', () => {
    const { play, room, inside, say } = scene('ask');
    const invited = play.join(room, 'invited00', 'away', { pass: PASS });
    const stranger = play.join(room, 'stranger0', 'away');
    const later = play.join(room, 'laterlater', 'away');
    for (const connection of [invited, stranger, later]) expect(first(play.said(connection))).toBe('waiting');
    say({ type: 'door', door: 'link', cap: 64 });
    expect([invited, stranger, later].map((c) => first(play.said(c)))).toEqual(['welcome', undefined, undefined]);
    play.drop(later);
    say({ type: 'door', door: 'locked', cap: 64 });
    expect(refusal(play.said(stranger)).sentence).toContain('locked');
    expect(play.closed).toContain(stranger);
    expect(inside()).toEqual(['hosthost', 'invited00']);
  });
});

describe('whoever waits', () => {
  it('is seen by the host alone, hears nothing of the room, and says nothing in it', () => {
    const { play, host, room, inside } = scene('link');
    const tab = play.join(room, 'tabtabtab', 'away', { pass: PASS });
    play.pass(1000);
    play.said(tab);
    play.said(host);
    const { edition } = play.core.rooms.get(room)?.chronicle ?? { edition: 0 };
    const stranger = play.join(room, 'stranger', 'away');
    play.send(tab, { type: 'seen', edition });
    play.pass(1000);
    expect(entrances(play.said(host)).at(-1)).toEqual({
      door: 'link',
      cap: 64,
      waiting: [{ id: 'stranger', name: 'stranger', kind: 'tab', watch: false, withPass: false, likeRemoved: false }],
    });
    expect(play.said(tab)).toEqual([]);
    play.send(stranger, { type: 'status', status: { kind: 'ready' } });
    play.send(stranger, { type: 'hidden', hidden: true });
    play.send(stranger, { type: 'linked', device: 'tabtabtab', linked: true });
    play.send(stranger, { type: 'admit', device: 'stranger' });
    play.send(stranger, { type: 'door', door: 'open', cap: 64 });
    play.send(stranger, { type: 'resync' });
    play.send(stranger, { type: 'ping' });
    play.send(tab, { type: 'hidden', hidden: true });
    play.pass(1000);
    expect(play.said(stranger).map(({ type }) => type)).toEqual(['hello', 'waiting', 'pong']);
    expect(inside()).toEqual(['hosthost', 'tabtabtab']);
    // Nobody is introduced to it, nor it to anybody.
    expect([...play.core.introductions.values()].map((place) => place.device)).toEqual(['hosthost', 'tabtabtab']);
  });

  it('comes in when the host says so, with all that a device is told', () => {
    const { play, host, room, waiting, inside, say } = scene('ask');
    const tab = play.join(room, 'tabtabtab', 'away');
    expect(play.said(tab).map(({ type }) => type)).toEqual(['hello', 'waiting']);
    expect(waiting()).toEqual(['tabtabtab']);
    say({ type: 'admit', device: 'tabtabtab' });
    expect(play.said(tab).map(({ type }) => type)).toEqual(['welcome', 'history', 'news']);
    expect(waiting()).toEqual([]);
    expect(inside()).toEqual(['hosthost', 'tabtabtab']);
    play.send(tab, { type: 'hidden', hidden: true });
    expect(play.core.rooms.get(room)?.state.devices[1].hidden).toBe(true);
    say({ type: 'admit', device: 'tabtabtab' });
    expect(remarks(play.said(host))).toEqual(['This device does not wait any more.']);
  });

  it('goes when the host says so, and may ask again', () => {
    const { play, room, waiting, say } = scene('ask');
    const tab = play.join(room, 'tabtabtab', 'away');
    say({ type: 'refuse', device: 'tabtabtab' });
    expect(refusal(play.said(tab))).toEqual({ sentence: 'The host did not let this device in.', why: undefined });
    expect(play.closed).toContain(tab);
    expect(waiting()).toEqual([]);
    expect(first(play.said(play.join(room, 'tabtabtab', 'away')))).toBe('waiting');
  });

  it('may leave, or be cut off; the host sees that', () => {
    const { play, room, waiting } = scene('ask');
    const one = play.join(room, 'oneoneone', 'away');
    const two = play.join(room, 'twotwotwo', 'away');
    expect(waiting()).toEqual(['oneoneone', 'twotwotwo']);
    play.send(one, { type: 'leave' });
    expect(waiting()).toEqual(['twotwotwo']);
    expect(play.closed).toContain(one);
    play.drop(two);
    expect(waiting()).toEqual([]);
  });

  it('keeps its turn on a new connection; another key cannot take it', () => {
    const { play, room, waiting, say } = scene('ask');
    const one = play.join(room, 'oneoneone', 'away');
    play.join(room, 'twotwotwo', 'away');
    const again = play.join(room, 'oneoneone', 'elsewhere');
    expect(play.closed).toContain(one);
    expect(waiting()).toEqual(['oneoneone', 'twotwotwo']);
    const thief = play.open('elsewhere');
    const stolen = { ...device('oneoneone'), key: 'wrongwrongwrong0' };
    play.send(thief, { type: 'join', version: PROTOCOL_VERSION, device: stolen, room, watch: false });
    expect(refusal(play.said(thief)).sentence).toContain('already waits with this device id');
    say({ type: 'admit', device: 'oneoneone' });
    expect(first(play.said(again).filter(({ type }) => type !== 'waiting'))).toBe('welcome');
  });

  it('stays for ten minutes at most, as long as it answers', () => {
    const { play, host, room, waiting } = scene('ask');
    const tab = play.join(room, 'tabtabtab', 'away');
    const silent = play.join(room, 'silent000', 'elsewhere');
    for (let ms = 0; ms < WAITING_MS - 6000; ms += 5000) {
      for (const connection of [host, tab]) play.send(connection, { type: 'pong' });
      play.pass(5000);
      if (ms === 60_000) expect(play.closed).toEqual([silent]);
    }
    expect(waiting()).toEqual(['tabtabtab']);
    play.pass(6000);
    expect(refusal(play.said(tab)).sentence).toContain('ten minutes');
    expect(play.closed).toContain(tab);
    expect(waiting()).toEqual([]);
  });

  it('has ten minutes again when it left and came again', () => {
    const { play, host, room, waiting } = scene('ask');
    play.send(play.join(room, 'tabtabtab', 'away'), { type: 'leave' });
    play.pass(5000);
    const again = play.join(room, 'tabtabtab', 'away');
    for (let ms = 0; ms < WAITING_MS - 1000; ms += 5000) {
      for (const connection of [host, again]) play.send(connection, { type: 'pong' });
      play.pass(ms === 0 ? 4000 : 5000);
    }
    expect(waiting()).toEqual(['tabtabtab']);
  });

  it('comes in by the pass that it has found meanwhile, and waits no more; not so who has only its id', () => {
    const { play, host, room, waiting, inside, say } = scene('link');
    const waits = play.join(room, 'tabtabtab', 'away');
    expect(first(play.said(play.join(room, 'tabtabtab', 'away', { pass: PASS })))).toBe('welcome');
    expect(play.closed).toContain(waits);
    expect(waiting()).toEqual([]);
    const other = play.join(room, 'otherother', 'away');
    const same = play.open('elsewhere');
    const entry = { type: 'join', version: PROTOCOL_VERSION, room, watch: false, pass: PASS } as const;
    play.send(same, { ...entry, device: { ...device('otherother'), key: 'anotherkeyanotherkey' } });
    expect(first(play.said(same))).toBe('welcome');
    expect(play.closed).not.toContain(other);
    expect(waiting()).toEqual(['otherother']);
    play.said(host);
    say({ type: 'admit', device: 'otherother' });
    expect(remarks(play.said(host))).toEqual(['Another device of this id has come in meanwhile.']);
    expect(play.closed).toContain(other);
    expect(inside()).toEqual(['hosthost', 'tabtabtab', 'otherother']);
  });

  it('waits for a host that is away, and goes with the session', () => {
    const { play, host, room } = scene('ask');
    play.drop(host);
    const tab = play.join(room, 'tabtabtab', 'away');
    const [waits] = play.said(tab).filter((m) => m.type === 'waiting');
    expect(waits.sentence).toContain('away');
    const again = play.open('home');
    play.send(again, { ...creates('hosthost'), room, passHash, door: 'ask' });
    play.pass(100);
    expect(
      entrances(play.said(again))
        .at(-1)
        ?.waiting.map(({ id }) => id),
    ).toEqual(['tabtabtab']);
    play.send(again, { type: 'leave' });
    expect(refusal(play.said(tab)).sentence).toBe('The host ended the session.');
    expect(play.closed).toContain(tab);
  });

  it('has another name than those who are in, or wait', () => {
    const { play, host, room } = scene('ask');
    for (const [i, name] of ['hosthost', 'Ann', 'ＡＮＮ'].entries()) {
      const message = { ...device(`guest000${i}`), name };
      play.send(play.open(`from ${i}`), {
        type: 'join',
        version: PROTOCOL_VERSION,
        device: message,
        room,
        watch: false,
      });
    }
    play.pass(100);
    expect(
      entrances(play.said(host))
        .at(-1)
        ?.waiting.map(({ name }) => name),
    ).toEqual(['hosthost 2', 'Ann', 'ＡＮＮ 2']);
  });

  it('is one of few: four of an address with the code alone, sixteen in all, and those with the pass go first', () => {
    const { play, room, waiting } = scene('ask');
    for (let i = 0; i < 5; i++) {
      const said = play.said(play.join(room, `stranger${i}`, 'one address'));
      expect(first(said)).toBe(i < 4 ? 'waiting' : 'error');
      if (i === 4) expect(refusal(said).sentence).toContain('from your address');
    }
    for (let i = 5; i < 17; i++) play.join(room, `stranger${i}`, `address ${i}`);
    expect(waiting()).toHaveLength(MAX_WAITING);
    expect(first(play.said(play.join(room, 'invited000', 'one address', { pass: PASS })))).toBe('waiting');
    // Of the strangers the last one gives way.
    expect(waiting()?.filter((id) => ['stranger0', 'stranger16', 'invited000'].includes(id))).toEqual([
      'stranger0',
      'invited000',
    ]);
    const said = play.said(play.join(room, 'stranger99', 'away'));
    expect(refusal(said).sentence).toContain('As many devices as can wait');
    for (let i = 1; i < MAX_WAITING; i++)
      expect(first(play.said(play.join(room, `invited${i}00`, 'one address', { pass: PASS })))).toBe('waiting');
    expect(waiting()?.every((id) => id.startsWith('invited'))).toBe(true);
    const late = play.said(play.join(room, 'invited999', 'one address', { pass: PASS }));
    expect(refusal(late).sentence).toContain('As many devices as can wait');
  });
});
