import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headlessEnvironment, keyFileOf } from '../../signaling/node/node-environment.ts';
import type { RunningServer } from '../../signaling/server/server.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import { readHostKey } from '../../web/session/own/host-key.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { needs, WHOLE } from '../needs.ts';
import { closeRooms, HeadlessRoom, largestRelativeDifference, losses, startTestServer } from './headless-room.ts';

/** A run that is broken off and gone on with is the uninterrupted run; dropout is on, so that its masks are tried, too. */
const TRAINING = { rounds: 20, dropout: 0.1, evaluateEvery: 5 };

let server: RunningServer;
let origin: string;
/** Of one try. */
let folder: string;
let straight: SessionView;

const modes = (...paths: string[]): Promise<string[]> =>
  Promise.all(paths.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)));
const scoresOf = (view: SessionView) => view.scores.map(({ round, value, loss }) => ({ round, value, loss }));

beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
  const room = await HeadlessRoom.open(origin, 'crunch', TRAINING);
  await room.ready(1);
  room.session.start();
  straight = await room.finished();
  await room.close();
});
afterAll(() => server.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-resume-'));
});
afterEach(async () => {
  await closeRooms();
  await rm(folder, { recursive: true, maxRetries: 9 });
});

describe('a session that is gone on with', () => {
  it('has the loss curve of the uninterrupted one to the bit, and its scores', async () => {
    const checkpointFile = join(folder, 'alone');
    const first = await HeadlessRoom.open(origin, 'crunch', TRAINING, { checkpointFile });
    await first.ready(1);
    first.session.start();
    await first.until(({ rounds }) => rounds.length === 8);
    await first.hangUp();
    const code = first.view.room?.id;

    const second = await HeadlessRoom.resume(origin, checkpointFile);
    try {
      const back = await second.ready(1);
      expect(back.room).toMatchObject({ id: code, phase: 'paused' });
      expect(back.kept?.round).toBe(back.rounds.length);
      expect(back.rounds.length).toBeGreaterThanOrEqual(8);
      expect(losses(back)).toEqual(losses(straight).slice(0, back.rounds.length));
      second.session.start();
      const view = await second.finished();
      expect(losses(view)).toEqual(losses(straight));
      // A score that was under way is made up for a few rounds later; what devices evaluate together rounds differently.
      const known = new Map(scoresOf(straight).map((score) => [score.round, score]));
      const common = scoresOf(view).filter(({ round }) => known.has(round));
      expect(common.map(({ round }) => round)).toEqual(expect.arrayContaining([0, 10, 15, 20]));
      for (const { round, value, loss } of common) {
        expect(value).toBe(known.get(round)?.value);
        expect(loss).toBeCloseTo(known.get(round)?.loss ?? Number.NaN, 6);
      }

      const log = second.session
        .runLog()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string });
      const rounds = log.filter(({ type }) => type === 'round') as unknown as { report: { round: number } }[];
      expect(rounds.map(({ report }) => report.round)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
      expect(log.filter(({ type }) => type === 'resumed')).toHaveLength(1);
    } finally {
      await second.close();
    }
  });

  it('finds its devices waiting in the old room, and tells those who join later what was before', async () => {
    const checkpointFile = join(folder, 'together');
    const first = await HeadlessRoom.open(origin, 'crunch', TRAINING, { checkpointFile });
    await first.addDevice('b');
    await first.ready(2);
    first.session.start();
    await first.until(({ kept, rounds }) => kept !== null && rounds.length >= 3);
    await first.hangUp();

    const second = await HeadlessRoom.resume(origin, checkpointFile);
    try {
      await second.until(({ status, room }) => status.kind === 'ready' && room?.plan?.assignments.length === 2);
      second.session.start();
      const view = await second.finished();
      expect(losses(view)).toHaveLength(20);
      expect(new Set(view.rounds[19].devices.map(({ device }) => device)).size).toBe(2);
      expect(largestRelativeDifference(losses(view), losses(straight))).toBeLessThan(1e-4);

      const environment = await headlessEnvironment(origin, { memoryLimitBytes: 2e9 });
      const watcher = new JoinSession(
        environment,
        { room: view.room?.id ?? '', secret: view.invitation?.secret ?? null },
        { name: 'w', watch: true, slowdown: 1 },
      );
      const seen = await new Promise<SessionView>((resolve) =>
        watcher.subscribe(
          (now) => now.rounds.length === 20 && now.scores.length === view.scores.length && resolve(now),
        ),
      );
      expect(losses(seen)).toEqual(losses(view));
      watcher.leave();
    } finally {
      await second.close();
      await first.close();
    }
  });

  it('gives no seat to whoever has its checkpoint alone: they go on in a room of their own', needs(WHOLE), async () => {
    const checkpointFile = join(folder, 'given');
    const first = await HeadlessRoom.open(origin, 'crunch', TRAINING, { checkpointFile });
    await first.ready(1);
    first.session.start();
    await first.until(({ kept, rounds }) => kept !== null && rounds.length >= 3);
    first.session.pause();
    const seen = await first.until(({ room }) => room?.phase === 'paused');
    const code = seen.room?.id ?? '';
    const { bytes } = await first.session.exportCheckpoint();
    await first.hangUp();

    // Neither what was kept nor what was exported has a part of the key within, however it is encoded.
    const key = readHostKey(await readFile(keyFileOf(checkpointFile), 'utf8'), seen.self);
    expect([key.room, key.id]).toEqual([code, seen.self]);
    for (const file of [await readFile(checkpointFile), Buffer.from(bytes)])
      for (const secret of [key.key, key.claim ?? 'the server gave a claim', key.door?.secret ?? 'a secret', code])
        for (const encoding of ['utf8', 'utf16le', 'base64'] as const)
          expect([secret, file.includes(Buffer.from(secret).toString(encoding))]).toEqual([secret, false]);
    expect(await modes(checkpointFile, keyFileOf(checkpointFile))).toEqual(['600', '600']);

    const given = join(folder, 'given-to-another');
    await writeFile(given, bytes);
    const second = await HeadlessRoom.resume(origin, given, false);
    try {
      const back = await second.ready(1);
      expect(back.room?.id).not.toBe(code);
      expect(back.self).not.toBe(seen.self);
      expect(back.room).toMatchObject({ phase: 'paused', host: back.self });
      expect(back.notices.map(({ sentence }) => sentence)).toEqual([
        'This checkpoint came without its key, so training goes on in a new session: invite the devices with its new link.',
      ]);
      expect(losses(back)).toEqual(losses(straight).slice(0, back.rounds.length));
      second.session.start();
      const view = await second.finished();
      expect(losses(view)).toEqual(losses(straight));
      expect(scoresOf(view).map(({ loss: _, ...score }) => score)).toEqual(
        scoresOf(straight).map(({ loss: _, ...score }) => score),
      );
      // Devices evaluate other groups of examples together, which differs in rounding alone.
      for (const [index, { loss }] of scoresOf(view).entries())
        expect(loss).toBeCloseTo(scoresOf(straight)[index]?.loss ?? Number.NaN, 6);
      // What others see who join now begins before the checkpoint.
      const environment = await headlessEnvironment(origin, { memoryLimitBytes: 2e9 });
      const invited = view.invitation;
      if (invited === null) throw new Error('The host has no invitation.');
      const watcher = new JoinSession(environment, invited, { name: 'w', watch: true, slowdown: 1 });
      const watched = await new Promise<SessionView>((resolve) =>
        watcher.subscribe((now) => now.rounds.length === 20 && resolve(now)),
      );
      expect(losses(watched)).toEqual(losses(straight));
      watcher.leave();
      // It has a key of its own from here on.
      expect(readHostKey(await readFile(keyFileOf(given), 'utf8'), view.self).key).not.toBe(key.key);
    } finally {
      await second.close();
    }

    // The host itself, with both files, has its old room.
    const third = await HeadlessRoom.resume(origin, checkpointFile);
    expect((await third.ready(1)).room?.id).toBe(code);
    await third.close();
    // The key of one session does not open another.
    await copyFile(keyFileOf(given), keyFileOf(checkpointFile));
    await expect(HeadlessRoom.resume(origin, checkpointFile)).rejects.toThrow('is of another session. Move it away');
  });

  it('may have been kept by release 0.1.0: it goes on as that release did', async () => {
    const fixture = (name: string): URL => new URL(`../fixtures/checkpoint-0.1.0/${name}`, import.meta.url);
    const run: { losses: number[] } = JSON.parse(await readFile(fixture('run.json'), 'utf8'));
    const checkpointFile = join(folder, 'of-0.1.0');
    await copyFile(fixture('kept.safetensors'), checkpointFile);
    const room = await HeadlessRoom.resume(origin, checkpointFile, false);
    try {
      const back = await room.ready(1);
      expect(losses(back)).toEqual(run.losses.slice(0, 3));
      // Kept again, it has its key beside it.
      await room.until(({ kept, rounds }) => kept !== null && rounds.length === 3);
      room.session.start();
      const view = await room.finished();
      expect(losses(view)).toHaveLength(6);
      expect(largestRelativeDifference(losses(view), run.losses)).toBeLessThan(1e-5);
    } finally {
      await room.close();
    }
  });

  it('is refused with a sentence when the file is damaged', async () => {
    const bytes = await readFile(new URL('../fixtures/checkpoint-0.1.0/kept.safetensors', import.meta.url));
    await writeFile(join(folder, 'cut'), bytes.subarray(0, bytes.length - 10));
    await expect(HeadlessRoom.resume(origin, join(folder, 'cut'), false)).rejects.toThrow(/truncated|accounts for/);
  });
});
