import { mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { spaceProblem } from '../../signaling/cli/demo/outputs.ts';
import { RunLogFile } from '../../signaling/node/run-log-file.ts';
import { writeWhole } from '../../signaling/node/whole-file.ts';
import { RunLog } from '../../web/session/view/run-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'tabloom-log-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(at(name), 'utf8');

test('a line is in the file as soon as it is added; a run that goes on adds what is new', () => {
  const log = new RunLogFile(at('run'));
  log.begin([]);
  log.add(['{"type":"options","at":"1"}']);
  expect(text('run')).toBe('{"type":"options","at":"1"}\n');
  log.add(['{"a":1}', '{"b":2}']);

  const beside = new RunLogFile(at('run'));
  beside.begin(['{"type":"options","at":"1"}', '{"a":1}']);
  beside.add(['{"type":"resumed"}']);
  expect(text('run')).toBe('{"type":"options","at":"1"}\n{"a":1}\n{"b":2}\n{"type":"resumed"}\n');
});

test('in a file of its own, a run that goes on begins with what was before; another run is left as it is', () => {
  writeFileSync(at('other'), '{"of":"another run"}\n{"cut o');
  const log = new RunLogFile(at('other'));
  log.begin(['{"type":"options","at":"1"}', '{"a":1}']);
  log.add(['{"type":"resumed"}']);
  expect(text('other')).toBe(
    '{"of":"another run"}\n{"cut o\n{"type":"options","at":"1"}\n{"a":1}\n{"type":"resumed"}\n',
  );
});

test('what cannot be written is owed, told once, and written when that is possible again', async () => {
  await mkdir(at('blocked'));
  const problems: string[] = [];
  const log = new RunLog(
    () => 0,
    [],
    new RunLogFile(at('blocked')),
    (sentence) => problems.push(sentence),
  );
  log.add([{ type: 'phase', phase: 'training' }]);
  log.add([{ type: 'phase', phase: 'paused' }]);
  expect(problems).toEqual([expect.stringMatching(/^The log could not be written \(EISDIR/)]);
  rmdirSync(at('blocked'));
  log.add([{ type: 'phase', phase: 'finished' }]);
  expect(text('blocked')).toBe(log.text());
});

test('a file that is written whole is its owner’s, also where another lay before, and leaves nothing behind when it cannot be', async () => {
  writeFileSync(at('kept.part'), 'half', { mode: 0o644 });
  await writeWhole(at('kept'), Uint8Array.of(1, 2, 3));
  expect([...readFileSync(at('kept'))]).toEqual([1, 2, 3]);
  expect(() => statSync(at('kept.part'))).toThrow('ENOENT');
  expect(statSync(at('kept')).mode & 0o077).toBe(process.platform === 'win32' ? 0o066 : 0);
  await mkdir(at('taken'));
  await expect(writeWhole(at('taken'), Uint8Array.of(1))).rejects.toThrow();
  expect(() => statSync(at('taken.part'))).toThrow('ENOENT');
});

test.each([
  [1000, 1000, null],
  [
    2_000_000,
    1_000_000,
    'out has 1.0 MB free, and what was asked for takes 2.0 MB; make room, name another folder with --out, or ask for less with --export-as.',
  ],
  [5, Number.POSITIVE_INFINITY, null],
])('%d bytes on a disk with %d free', (needed, free, sentence) => {
  expect(spaceProblem('out', needed, free)).toBe(sentence);
});
