import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, profile, SETTINGS } from '../protocol/samples.ts';
import { Client, enter as enterRoom, hostRoom as host, self } from '../server/client.ts';
import { type RunningHome, startHome } from './home.ts';

let server: RunningHome;

beforeAll(async () => {
  server = await startHome();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.socket.terminate();
});
afterAll(() => server.close());

const clients: Client[] = [];
const kept = (client: Client): Client => {
  clients.push(client);
  return client;
};
const hostRoom = async (): Promise<{ host: Client; room: string }> => {
  const hosted = await host(server.port);
  return { ...hosted, host: kept(hosted.host) };
};
const enter = async (room: string, id: string, watch = false): Promise<Client> =>
  kept(await enterRoom(server.port, room, id, { watch }));
const newClient = async (room: string): Promise<Client> => kept(await new Client(server.port, {}, room).open());

describe('rooms', () => {
  it('tell everybody who is there, plan for them, and relay the rounds', async () => {
    const { host, room } = await hostRoom();
    host.send({ type: 'profile', profile: profile() });
    const tab = await enter(room, 'tabtabtab');
    await host.message('room', (m) => m.room.devices.length === 2);
    host.send({ type: 'linked', device: 'tabtabtab', linked: true });
    tab.send({ type: 'profile', profile: profile() });
    const planned = await tab.message('room', (m) => m.room.plan?.assignments.length === 2);
    expect(planned.room.plan?.policy).toBe('crunch');
    const report = {
      round: 1,
      planVersion: planned.room.plan?.version ?? 0,
      loss: 0.69,
      learningRate: 1e-3,
      gradientNorm: 1,
      elapsedSeconds: 0.1,
      devices: [],
      reassigned: 0,
    };
    host.send({ type: 'round', report });
    expect((await tab.message('round')).report).toEqual(report);
    const late = await enter(room, 'latelate', true);
    expect((await late.message('history')).rounds).toEqual([report]);
    tab.send({ type: 'leave' });
    const after = await host.message(
      'room',
      (m) => m.room.devices[1]?.id === 'latelate' && m.room.plan?.assignments.length === 1,
    );
    expect(after.room.plan?.assignments.map((a) => a.device)).toEqual(['hosthost']);
  });

  it('answer with a sentence: unknown room, taken id, bad message, things that only the host may do', async () => {
    const { room } = await hostRoom();
    const lost = await enter('zzzzzz', 'lostlost');
    expect(await lost.message('error')).toMatchObject({ refused: true, sentence: expect.stringContaining('zzzzzz') });
    const thief = await newClient(room);
    thief.send({
      type: 'join',
      version: PROTOCOL_VERSION,
      room,
      watch: false,
      device: { ...self('hosthost'), key: 'wrongwrongwrong0' },
    });
    expect(await thief.message('error')).toMatchObject({ refused: true });
    const tab = await enter(room, 'tabtabtab');
    await tab.message('room');
    tab.send({ type: 'phase', phase: 'training' });
    expect(await tab.message('error')).toEqual({
      type: 'error',
      sentence: 'Only the host may do this.',
      refused: false,
    });
    tab.socket.send('{"type":"profile"}');
    const wrong = await tab.message('error', (m) => m.sentence.includes('profile'));
    expect(wrong.refused).toBe(false);
  });

  it('close for everybody when the host leaves', async () => {
    const { host, room } = await hostRoom();
    const tab = await enter(room, 'tabtabtab');
    await tab.message('room');
    host.send({ type: 'leave' });
    expect((await tab.message('closed')).sentence).toBe('The host ended the session.');
    const late = await enter(room, 'latelate');
    expect((await late.message('error')).refused).toBe(true);
  });

  it('come back under their code when the host returns to a server that forgot them', async () => {
    const { host, room } = await hostRoom();
    const { claim } = await host.message('welcome');
    host.socket.terminate();
    await server.close();
    server = await startHome();
    const early = await enter(room, 'tabtabtab');
    expect((await early.message('error')).refused).toBe(true);
    const again = await newClient(room);
    again.send({
      type: 'create',
      version: PROTOCOL_VERSION,
      device: self('hosthost'),
      settings: SETTINGS,
      ...OPEN_DOOR,
      room,
      claim: claim ?? '',
    });
    expect((await again.message('room')).room.id).toBe(room);
    const tab = await enter(room, 'tabtabtab');
    expect((await tab.message('room')).room.devices).toHaveLength(2);
  });

  it('take the history of a session that goes on, and tell it whoever comes', async () => {
    const { host, room } = await hostRoom();
    const tab = await enter(room, 'tabtabtab');
    await tab.message('room');
    const round = (n: number): RoundReport => ({
      round: n,
      planVersion: 1,
      loss: 1 / n,
      learningRate: 1e-3,
      gradientNorm: 1,
      elapsedSeconds: 1,
      devices: [],
      reassigned: 0,
    });
    host.send({ type: 'history', rounds: [1, 2, 3].map(round), scores: [] });
    await tab.message('round', ({ report }) => report.round === 3);
    // It went on from round 2: the third is trained again.
    host.send({ type: 'round', report: { ...round(3), loss: 9 } });
    await tab.message('round', ({ report }) => report.loss === 9);
    const late = await enter(room, 'latelate');
    const { rounds } = await late.message('history');
    expect(rounds.map(({ loss }) => loss)).toEqual([1, 1 / 2, 9]);
    tab.send({ type: 'history', rounds: [], scores: [] });
    expect((await tab.message('error')).sentence).toBe('Only the host may do this.');
  });

  it('let go of a socket that floods them', async () => {
    const { host } = await hostRoom();
    const closed = new Promise((resolve) => host.socket.once('close', resolve));
    for (let i = 0; i < 500; i++) host.send({ type: 'ping' });
    await closed;
  });

  it('refuse other sockets', async () => {
    const other = new WebSocket(`ws://127.0.0.1:${server.port}/elsewhere`);
    const error = await new Promise<Error>((resolve) => other.once('error', resolve));
    expect(error.message).toContain('404');
  });
});
