import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { PageHome } from '../../web/tab/home/page-home.ts';
import type { Pipe } from '../../web/tab/home/pipe.ts';
import { Way } from '../../web/tab/show/way.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';

/** Rooms whose home is a page: the same core as a server's, over pipes. */

let home: PageHome;
beforeEach(() => {
  home = new PageHome(async () => ({ feasible: false, reason: 'Nobody plans here.' }));
});
afterEach(() => home.close());

const ROOM = 'ws://here/room';
const KEY = 'k'.repeat(32);
const HOST = 'h'.repeat(12);
const OTHER = 'd'.repeat(12);
const device = (id: string) => ({ id, key: KEY, name: id, kind: 'tab' as const });
const turns = async (count = 40): Promise<void> => {
  for (let i = 0; i < count; i++) await Promise.resolve();
};

interface Heard {
  readonly pipe: Pipe;
  readonly texts: { readonly type: string; readonly [field: string]: unknown }[];
  readonly log: string[];
}

function open(url = ROOM, way?: Way): Heard {
  const heard: Heard = { pipe: home.open(url, 'somebody', way), texts: [], log: [] };
  heard.pipe.addEventListener('open', () => heard.log.push('open'));
  heard.pipe.addEventListener('close', () => heard.log.push('close'));
  heard.pipe.addEventListener('message', ({ data }) => heard.texts.push(JSON.parse(String(data))));
  return heard;
}

const say = ({ pipe }: Heard, message: object): void => pipe.send(JSON.stringify(message));

async function created(): Promise<{ host: Heard; room: string }> {
  const host = open();
  await turns();
  say(host, {
    type: 'create',
    version: PROTOCOL_VERSION,
    device: device(HOST),
    settings: SETTINGS,
    ...OPEN_DOOR,
  });
  await turns();
  const welcome = host.texts.find(({ type }) => type === 'welcome');
  return { host, room: String(welcome?.room) };
}

describe('a room in a page', () => {
  it('greets whoever connects, makes a room, and lets others in', async () => {
    const { host, room } = await created();
    expect(host.log).toEqual(['open']);
    expect(host.texts.slice(0, 2).map(({ type }) => type)).toEqual(['hello', 'welcome']);
    expect(room).toMatch(/^[a-z0-9]{6}$/);
    const other = open();
    await turns();
    say(other, { type: 'join', version: PROTOCOL_VERSION, room, device: device(OTHER), watch: false });
    await turns();
    expect(other.texts.map(({ type }) => type).slice(0, 2)).toEqual(['hello', 'welcome']);
  });

  it('tells the one who is refused, and then hangs up', async () => {
    const other = open();
    await turns();
    say(other, { type: 'join', version: PROTOCOL_VERSION, room: 'abc234', device: device(OTHER), watch: false });
    await turns();
    expect(other.texts.at(-1)).toMatchObject({ type: 'error', refused: true });
  });

  it('calls nobody from within a call of their own', async () => {
    const host = open();
    expect(host.log).toEqual([]);
    await turns();
    host.pipe.close();
    expect(host.log).toEqual(['open']);
    await turns();
    expect(host.log).toEqual(['open', 'close']);
  });
});

describe('a way that is held', () => {
  it('lets nothing pass, and later all of it in its order', async () => {
    const { room } = await created();
    const way = new Way();
    const other = open(ROOM, way);
    await turns();
    way.hold(true);
    say(other, { type: 'join', version: PROTOCOL_VERSION, room, device: device(OTHER), watch: false });
    await turns();
    expect(other.texts.map(({ type }) => type)).toEqual(['hello']);
    way.hold(false);
    await turns();
    expect(other.texts[1]?.type).toBe('welcome');
  });

  it('and that was cut stays shut', async () => {
    const way = new Way();
    const other = open(ROOM, way);
    await turns();
    let cuts = 0;
    way.onCut(() => cuts++);
    way.cut();
    way.cut();
    way.hold(false);
    expect([cuts, way.held, way.isCut]).toEqual([1, true, true]);
    say(other, { type: 'ping' });
    await turns();
    expect(other.texts.map(({ type }) => type)).toEqual(['hello']);
  });
});
