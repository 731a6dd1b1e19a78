import { expect, it } from 'vitest';
import { HeadlessRoom, losses, startTestServer } from './headless-room.ts';

it('a session outlives its server: rounds go on without it, and the room comes back with its history', async () => {
  const first = await startTestServer();
  const { port } = first;
  const room = await HeadlessRoom.open(`http://127.0.0.1:${port}`, 'data-parallel', { rounds: 40 });
  try {
    await room.addDevice('b');
    await room.ready(2);
    room.session.start();
    await room.until(({ rounds }) => rounds.length === 2);
    await first.close();
    const away = await room.until(({ server }) => server === 'reconnecting');
    const alone = await room.until(({ rounds }) => rounds.length >= away.rounds.length + 3);
    for (const { devices } of alone.rounds) expect(devices).toHaveLength(2);
    const second = await startTestServer(port);
    try {
      await room.until(({ server, room: seen }) => server === 'connected' && seen?.devices.length === 2);
      const view = await room.finished();
      expect(losses(view)).toHaveLength(40);
    } finally {
      await room.close();
      await second.close();
    }
  } finally {
    await room.close();
  }
});
