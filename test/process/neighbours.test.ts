import { afterAll, beforeAll, expect, it } from 'vitest';
import { headlessEnvironment } from '../../signaling/node/node-environment.ts';
import type { RunningServer } from '../../signaling/server/server.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { HeadlessRoom, startTestServer } from './headless-room.ts';

/** What two stages of a room say to each other goes over a link of their own, and is counted: real WebRTC, real workers. */
const ROUNDS = 4;
const MEMORY_BYTES = 9.5e6;
const SAMPLES = 8;

let server: RunningServer;
let origin: string;
beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

const until = (session: JoinSession, satisfied: (view: SessionView) => boolean): Promise<SessionView> =>
  new Promise((resolve) => {
    const off = session.subscribe((view) => {
      if (!satisfied(view)) return;
      off();
      resolve(view);
    });
  });

it('stages that are beside each other meet, and their bytes are those of their hidden states', async () => {
  const training = { rounds: ROUNDS, dropout: 0.1, samplesPerRound: SAMPLES };
  const room = await HeadlessRoom.open(origin, 'split', training, { memoryBytes: MEMORY_BYTES });
  const joined: JoinSession[] = [];
  try {
    const { invitation, room: opened } = await room.until((view) => view.invitation !== null && view.room !== null);
    for (const [i, name] of ['b', 'c'].entries()) {
      const environment = await headlessEnvironment(origin, { memoryLimitBytes: MEMORY_BYTES });
      const invited = { room: opened?.id ?? '', secret: invitation?.secret ?? null };
      joined.push(new JoinSession(environment, invited, { name, watch: false, slowdown: 1 }));
      await room.measured(i + 2);
    }
    const [b, c] = joined as [JoinSession, JoinSession];
    // The plan deals the first stage to the host; the other two are beside each other.
    const met = [b, c].map((session, i) => {
      const other = [c, b][i]!.view.self;
      return until(session, ({ beside }) => beside.some(({ device, sentBytes }) => device === other && sentBytes > 0));
    });
    await room.until((view) => view.room?.devices.every(({ status }) => status.kind === 'ready') ?? false);
    room.session.start();
    await room.finished();
    await Promise.all(met);
    const [fromB, fromC] = [
      b.view.beside.find(({ device }) => device === c.view.self),
      c.view.beside.find(({ device }) => device === b.view.self),
    ];
    if (fromB === undefined || fromC === undefined) throw new Error('They are not beside each other.');
    expect([fromB.isLinked, fromC.isLinked]).toEqual([true, true]);
    // Until they had met the host passed on what they said; what one sent the other has received, whichever way it went.
    const sent = fromB.sentBytes + fromB.relayedSentBytes;
    expect(fromC.receivedBytes + fromC.relayedReceivedBytes).toBe(sent);
    expect(fromB.receivedBytes + fromB.relayedReceivedBytes).toBe(fromC.sentBytes + fromC.relayedSentBytes);
    // Rows of 128 values of 4 bytes; between the host and its neighbour nothing is relayed.
    expect(sent % 512).toBe(0);
    expect(Math.min(fromB.sentBytes, fromC.sentBytes)).toBeGreaterThan(0);
    const host = room.view.room?.host ?? '';
    const withHost = b.view.beside.find(({ device }) => device === host);
    expect(withHost).toMatchObject({ isLinked: true, relayedSentBytes: 0, relayedReceivedBytes: 0 });
    expect(withHost?.receivedBytes).toBeGreaterThan(0);
  } finally {
    for (const session of joined) session.leave();
    await room.close();
  }
});
