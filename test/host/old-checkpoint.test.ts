import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { PLAIN_TRAINING } from '../../signaling/protocol/settings.ts';
import { historyOf, readNote } from '../../web/session/own/session-note.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../worker/host/checkpoint.ts';
import { Host } from '../../worker/host/host.ts';
import { encodeSafetensors } from '../../worker/model/safetensors.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { MINI_REQUEST } from './node-host.ts';

/** What release 0.1.0 kept, and what it came to when it went on with it itself. */
const kept = new Uint8Array(await readFile(new URL('../fixtures/checkpoint-0.1.0/kept.safetensors', import.meta.url)));
const run: { losses: number[]; scores: { round: number; value: number }[] } = JSON.parse(
  await readFile(new URL('../fixtures/checkpoint-0.1.0/run.json', import.meta.url), 'utf8'),
);

test('a checkpoint of release 0.1.0 reads as what it was', () => {
  const read = decodeCheckpoint(kept);
  expect(read.request).toMatchObject({
    model: { kind: 'embedded', id: 'roberta-mini' },
    lora: { rank: 1, alpha: 2, targets: ['query'] },
    // What it did not know of is what it did.
    training: { rounds: 6, dropout: 0.1, seed: 7, ...PLAIN_TRAINING },
  });
  expect([read.round, read.optimiser.steps, read.best?.round, read.values.length]).toEqual([3, 3, 2, 18_306]);
  expect(read.scores.map(({ round, value }) => ({ round, value }))).toEqual([
    { round: 0, value: 0.5 },
    { round: 2, value: 0.51 },
  ]);
  const { note, key } = readNote(read.note);
  // That release put the host's seat into the file.
  expect(key).toEqual({
    id: note.identity.id,
    key: expect.stringMatching(/^[a-z0-9]{32}$/),
    room: expect.stringMatching(/^[2-9a-z]{6}$/),
  });
  expect(JSON.stringify(note)).not.toContain(key?.key);
  expect([note.term, note.finished, note.identity.name]).toEqual([1, false, 'host']);
  const { rounds } = historyOf(note.log, read.round);
  expect(rounds.map(({ loss }) => loss)).toEqual(run.losses.slice(0, 3));
});

test('what is read is the session’s own: changing it leaves the file as it was', () => {
  const bytes = kept.slice();
  const read = decodeCheckpoint(bytes);
  for (const vector of [read.values, read.optimiser.firstMoment, read.optimiser.secondMoment]) vector.fill(1);
  expect(bytes).toEqual(kept);
});

test('a host goes on with it, over the same samples', async () => {
  const host = new Host(openFileOrHttp);
  const { request, version } = await host.readCheckpoint(kept);
  const here: HostRequest = { ...request, origin: MINI_REQUEST.origin, start: { kind: 'checkpoint', bytes: kept } };
  const opened = await host.open(here);
  expect([version, opened.version, opened.parameterCount]).toEqual([3, 3, 18_306]);
  expect((await host.parameters()).values).toEqual(decodeCheckpoint(kept).values);
  // Kept again it is one of this release, with all that it had.
  const { request: _, ...again } = decodeCheckpoint(await host.checkpoint('{}'));
  const { request: __, ...before } = decodeCheckpoint(kept);
  expect(again).toEqual({ ...before, note: '{}' });
});

test.each([
  ['a later release', 'tabloom-checkpoint-4', 'written by a newer Tabloom. Reload'],
  ['no release', 'tabloom-checkpoint-1', 'is no checkpoint'],
  ['another program', 'tabloom-checkpoint-3x', 'is no checkpoint'],
])('a checkpoint of %s is refused with what to do', (_, format, sentence) => {
  expect(() => decodeCheckpoint(encodeSafetensors([], { format, state: '{}' }))).toThrow(sentence);
});

test('what is written now, release 0.1.0 takes for no checkpoint of its own', () => {
  const text = new TextDecoder().decode(encodeCheckpoint(decodeCheckpoint(kept)));
  expect(text).toContain('"format":"tabloom-checkpoint-3"');
  expect(text).not.toContain('tabloom-checkpoint-2');
});
