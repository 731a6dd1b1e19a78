import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { RunningServer } from '../../signaling/server/server.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { needs, WHOLE } from '../needs.ts';
import { HeadlessRoom, losses, startTestServer } from './headless-room.ts';

/** Sessions on a person's own data and from a person's own adapter, and texts that are tried while they run. */

let server: RunningServer;
let origin: string;
let folder: string;
beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
  folder = await mkdtemp(join(tmpdir(), 'tabloom-own-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, maxRetries: 9 });
});

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Everything that this process, server included, sends over WebSockets and data channels while `body` runs. */
async function recorded(body: () => Promise<void>): Promise<Buffer> {
  const wrtc: typeof import('@roamhq/wrtc') = createRequire(import.meta.url)('@roamhq/wrtc');
  const sent: Buffer[] = [];
  const restore = [WebSocket.prototype, wrtc.RTCDataChannel.prototype].map((prototype) => {
    const send: unknown = prototype.send;
    if (typeof send !== 'function') throw new Error('There is nothing to listen to.');
    Object.assign(prototype, {
      send(this: unknown, data: string | ArrayBuffer | Uint8Array, ...rest: unknown[]) {
        const bytes = typeof data === 'string' ? Buffer.from(data) : Buffer.from(new Uint8Array(data));
        sent.push(bytes);
        return Reflect.apply(send, this, [data, ...rest]);
      },
    });
    return () => Object.assign(prototype, { send });
  });
  try {
    await body();
  } finally {
    for (const undo of restore) undo();
  }
  return Buffer.concat(sent);
}

describe('a session on a table of one’s own', () => {
  const WORDS = ['xylophone', 'quagmire', 'zephyr', 'marzipan', 'obelisk', 'vortex'];
  const rows = Array.from(
    { length: 60 },
    (_, i) => `"the ${WORDS[i % 6]} was ${i}, they said",${i % 2 ? 'yes' : 'no'}`,
  );
  const table = ['remark,verdict', ...rows, 'no label,', '"never closed'].join('\n');
  const request: Partial<HostRequest> = {
    task: {
      id: 'own',
      endpoint: '',
      own: {
        title: 'Remarks',
        train: { name: 'remarks.csv', bytes: bytesOf(table) },
        dev: null,
        columns: { text: 'remark', pair: null, label: 'verdict' },
        kind: 'classification',
      },
    },
  };

  it('sends token ids to its devices and nothing of the texts to anybody', async () => {
    const room = await HeadlessRoom.open(origin, 'data-parallel', { rounds: 3 }, { request, asksAtDoor: true });
    const traffic = await recorded(async () => {
      await room.addDevice('b');
      // With a table of one's own everybody waits for the host.
      const { waiting } = await room.until((view) => view.waiting.length === 1);
      room.session.entrance.admit(waiting[0].id);
      await room.ready(2);
      room.session.start();
      await room.finished();
      await room.session.tryText('the gargoyle was 5', null);
    });
    const { data, pairs, room: seen, rounds } = room.view;
    await room.close();
    expect(data?.tables).toMatchObject([
      {
        rows: 62,
        used: 60,
        leftOut: [
          { reason: 'an empty label', lines: [62] },
          { reason: 'a quote that is never closed', lines: [63] },
        ],
      },
    ]);
    expect(pairs).toBe(false);
    expect(seen?.settings.task).toMatchObject({ title: 'Remarks', classNames: ['no', 'yes'], trainExamples: 54 });
    expect(new Set(rounds.flatMap(({ devices }) => devices.map(({ device }) => device))).size).toBe(2);
    // Parameters, orders and the room's settings went out, so the ear was open.
    expect(traffic.length).toBeGreaterThan(200_000);
    expect(traffic.includes('"classNames":["no","yes"]')).toBe(true);
    for (const word of [...WORDS, 'they said', 'gargoyle', 'remarks.csv'])
      for (const encoding of ['utf8', 'utf16le'] as const)
        expect([word, encoding, traffic.includes(Buffer.from(word, encoding))]).toEqual([word, encoding, false]);
  });

  it('goes on from its file without the table', needs(WHOLE), async () => {
    const checkpointFile = join(folder, 'own.safetensors');
    const first = await HeadlessRoom.open(origin, 'crunch', { rounds: 4 }, { request, checkpointFile });
    await first.ready(1);
    first.session.start();
    await first.until(({ kept, rounds }) => kept !== null && rounds.length >= 2);
    await first.hangUp();
    const second = await HeadlessRoom.resume(origin, checkpointFile);
    try {
      await second.ready(1);
      second.session.start();
      const view = await second.finished();
      expect(view.rounds.map(({ round }) => round)).toEqual([1, 2, 3, 4]);
      expect(view.data?.tables[0]?.used).toBe(60);
    } finally {
      await second.close();
    }
  });
});

describe('a text that is tried', () => {
  it('is answered at any time, and leaves the rounds as they are', async () => {
    const quiet = await HeadlessRoom.open(origin, 'crunch', { rounds: 20 });
    await quiet.ready(1);
    quiet.session.start();
    const expected = losses(await quiet.finished());
    await quiet.close();

    const room = await HeadlessRoom.open(origin, 'crunch', { rounds: 20 });
    const { session } = room;
    const answered: number[] = [];
    const positive = async (text: string): Promise<number> => {
      const { prediction, round } = await session.tryText(text, null);
      answered.push(round);
      if (prediction.kind !== 'classes') throw new Error('classes were expected');
      const [no, yes] = prediction.probabilities;
      expect([no?.name, yes?.name]).toEqual(['negative', 'positive']);
      expect((no?.probability ?? 0) + (yes?.probability ?? 0)).toBeCloseTo(1, 6);
      return yes?.probability ?? Number.NaN;
    };
    try {
      await expect(session.tryText('too early', null)).rejects.toThrow('still loading');
      await room.ready(1);
      const before = await positive('A wonderful film.');
      session.start();
      await room.until(({ activity }) => activity !== null);
      await Promise.all(['one', 'two', 'three'].map(positive));
      await room.until(({ rounds }) => rounds.length >= 3);
      session.pause();
      await room.until(({ rounds, activity }) => rounds.length >= 3 && activity === null);
      const paused = await positive('A wonderful film.');
      expect(paused).not.toBe(before);
      expect(await positive('A wonderful film.')).toBe(paused);
      session.start();
      const view = await room.finished();
      expect(losses(view)).toEqual(expected);
      expect(await positive('A wonderful film.')).not.toBe(paused);
      expect([answered[0], answered.at(-1)]).toEqual([0, 20]);
      await expect(session.tryText('  ', null)).rejects.toThrow('There is no text to try');
      await expect(session.tryText('one', 'two')).rejects.toThrow('leave the second one out');
    } finally {
      await room.close();
    }
    await expect(session.tryText('too late', null)).rejects.toThrow('The session is over.');
  });
});

describe('a session with pairs and two dev sets', () => {
  it('scores the second one at the end, and asks for both texts', async () => {
    const columns = ['gold_label', 'sentence1', 'sentence2'].join('\t');
    const row = (i: number): string =>
      [['entailment', 'neutral', 'contradiction'][i % 3], `a premise ${i}`, `a hypothesis ${i}`].join('\t');
    await mkdir(join(folder, 'MNLI'), { recursive: true });
    for (const [name, count] of [
      ['train', 60],
      ['dev_matched', 9],
      ['dev_mismatched', 12],
    ] as const)
      await writeFile(
        join(folder, 'MNLI', `${name}.tsv`),
        [columns, ...Array.from({ length: count }, (_, i) => row(i))].join('\n'),
      );
    const request = { task: { id: 'mnli', endpoint: pathToFileURL(folder).href } };
    const room = await HeadlessRoom.open(origin, 'crunch', { rounds: 2 }, { request });
    try {
      await room.ready(1);
      room.session.start();
      const { scores, pairs } = await room.finished();
      expect(pairs).toBe(true);
      expect(
        scores.map(({ examples, further }) => [examples, further?.map(({ metric, devSet }) => [metric, devSet])]),
      ).toEqual([
        [9, undefined],
        [9, [['accuracy', 'mismatched']]],
      ]);
      await expect(room.session.tryText('a premise', null)).rejects.toThrow('type the second one as well');
      const { prediction } = await room.session.tryText('a premise', 'a hypothesis');
      expect(prediction.kind).toBe('classes');
    } finally {
      await room.close();
    }
  });
});

describe('a session from an adapter', () => {
  it('has the adapter’s layers, ranks and targets, and its score before the first round', async () => {
    const lora: HostRequest['lora'] = {
      rank: 4,
      alpha: 8,
      targets: ['query', 'key', 'output.dense'],
      layers: [1, 4],
      rankPattern: { 4: 2 },
      rslora: true,
    };
    const first = await HeadlessRoom.open(origin, 'crunch', { rounds: 2 }, { request: { lora } });
    await first.ready(1);
    first.session.start();
    const { scores } = await first.finished();
    const files = await first.session.exportAdapter('last');
    await first.close();

    const second = await HeadlessRoom.open(
      origin,
      'crunch',
      { rounds: 1 },
      { request: { start: { kind: 'adapter', files } } },
    );
    try {
      const { room } = await second.ready(1);
      expect(room?.settings.lora).toEqual(lora);
      second.session.start();
      const view = await second.finished();
      expect(view.scores[0]?.loss).toBeCloseTo(scores[1]?.loss ?? Number.NaN, 6);
    } finally {
      await second.close();
    }
  });
});
