import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../signaling/tabloom.ts', import.meta.url));
const CASES = fileURLToPath(new URL('../fixtures/cases/table/', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-table-'));
});
afterAll(() => rm(folder, { recursive: true, maxRetries: 9 }));

function table(...args: string[]): Promise<{ code: number; out: string; problem: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', PROGRAM, 'table', ...args], (error, out, problem) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, problem }),
    );
  });
}
const file = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

describe('tabloom table', () => {
  it.each([
    ['lone-quotes.tsv', { rows: 40, used: 40, classes: ['0', '1'], unreadableBytes: 0 }],
    ['excel-sep-line.csv', { rows: 40, used: 40, classes: ['0', '1'], unreadableBytes: 0 }],
    ['one-stray-byte.csv', { rows: 41, used: 41, classes: ['0', '1'], unreadableBytes: 1 }],
    ['backslash-quotes.csv', { rows: 40, used: 40, classes: ['0', '1'], unreadableBytes: 0 }],
    ['labels-0-and-0.0.csv', { rows: 40, used: 40, classes: ['0', '1'], unreadableBytes: 0 }],
    ['no-table.parquet', { rows: 60, used: 60, classes: ['0', '1'], unreadableBytes: 0 }],
  ])('counts %s', async (name, expected) => {
    const { code, out } = await table(join(CASES, name), '--json');
    expect(code).toBe(0);
    const said = JSON.parse(out);
    expect(said).toMatchObject(expected);
    const leftOut = said.leftOut.reduce((sum: number, { count }: { count: number }) => sum + count, 0);
    expect(said.used + leftOut).toBe(said.rows);
  });

  it('asks for the flag where only a person can say what the labels are, and takes the answer', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => `text ${i},${i / 7}`);
    const path = await file('scores.csv', `text,label\n${rows.join('\n')}\n`);
    const asked = await table(path);
    expect([asked.code, asked.problem]).toEqual([2, expect.stringContaining('--labels score')]);
    const answered = await table(path, '--labels', 'score', '--json');
    expect([answered.code, JSON.parse(answered.out).used]).toEqual([0, 200]);
  });

  it.each([
    ['a.xlsx', Buffer.from('504b0304140006000800000021005b436f6e74656e745f54797065735d2e786d6c', 'hex')],
    ['a.pdf', Buffer.from('%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n1 0 obj\n', 'latin1')],
    ['a.html', Buffer.from('<!doctype html>\n<html><head><title>x</title></head></html>\n')],
    ['a.png', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
  ])('says in one line what %s is, and prints nothing of it', async (name, bytes) => {
    const { code, out, problem } = await table(await file(name, bytes));
    expect([code, out]).toEqual([2, '']);
    expect(problem.trimEnd().split('\n')).toHaveLength(1);
    expect(problem.trimEnd()).not.toMatch(/\p{Cc}/u);
  });
});
