import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { printable } from '../../signaling/cli/command-line.ts';
import { parseProblemText } from '../../signaling/cli/problem-file.ts';
import { readWhole } from '../../signaling/cli/read-whole.ts';
import { generateFleet, generateProblem } from '../../signaling/planner/problem/generator.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = join(PROJECT, 'test/fixtures/cases/plan');
const folder = mkdtempSync(join(tmpdir(), 'tabloom-plan-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The command as a person runs it. */
async function plan(
  argv: readonly string[],
  input = '',
): Promise<{ code: number | null; out: string; problem: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'signaling/tabloom.ts', 'plan', ...argv], { cwd: PROJECT });
  const text = { out: '', problem: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.problem += chunk;
  });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...text };
}

/** Two devices, two blocks: a is the quicker at depth 2, so b takes depth 1. */
const TABLE = readFileSync(join(FIXTURES, 'byte-order-mark.json'), 'utf8').replace('\u{feff}', '');
const inUtf16 = (text: string, bigEndian = false) => {
  const bytes = Buffer.from(text, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
};

describe('a problem file', () => {
  test.each([
    ['UTF-8', Buffer.from(TABLE)],
    ['UTF-8 with a byte-order mark', Buffer.from(`\u{feff}${TABLE}`)],
    ['UTF-16 with a byte-order mark, little end first', inUtf16(`\u{feff}${TABLE}`)],
    ['UTF-16 with a byte-order mark, big end first', inUtf16(`\u{feff}${TABLE}`, true)],
    ['UTF-16 without one, little end first', inUtf16(TABLE)],
    ['UTF-16 without one, big end first', inUtf16(TABLE, true)],
    ['CRLF and blanks around it', Buffer.from(`\r\n\t ${TABLE}\r\n`)],
  ])('is read as %s', (_, bytes) => {
    expect(parseProblemText(bytes)).toEqual(JSON.parse(TABLE));
  });

  test.each([
    ['nothing', '', 'The problem file is empty; docs/planner.md shows what belongs in it.'],
    ['blanks', ' \n', 'The problem file is not JSON: Unexpected end of JSON input.'],
    ['half a file', TABLE.slice(0, 40), /^The problem file is not JSON: .+\.$/],
    [
      'two problems',
      `${TABLE}\n${TABLE}`,
      /^The problem file is not JSON: Unexpected non-whitespace .+ position \d+.*\.$/,
    ],
    ['garbage behind it', `${TABLE};`, /^The problem file is not JSON: Unexpected non-whitespace .+ position \d+.*\.$/],
    ['a comment', `// mine\n${TABLE}`, "The problem file is not JSON: Unexpected token '/'."],
    ['escapes of a terminal', '\u{1b}[31m{}', /^The problem file is not JSON: Unexpected token '\\u\{1b\}'\.$/],
    ['a bracket a million times', '['.repeat(1e6), /^The problem file is not JSON: .+\.$/],
  ])('that holds %s is refused in one sentence', (_, text, sentence) => {
    expect(() => parseProblemText(Buffer.from(text))).toThrow(
      typeof sentence === 'string' ? new Error(sentence) : sentence,
    );
  });

  test.each([
    ['a picture', Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13])],
    ['an archive', Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0])],
    ['Latin-1', Buffer.from('{"id": "Zo\u{eb}"}', 'latin1')],
    ['an odd byte of UTF-16', inUtf16(TABLE).subarray(0, -1)],
  ])('that is %s is no text', (_, bytes) => {
    expect(() => parseProblemText(bytes)).toThrow(/^The problem file is not text in UTF-8 or UTF-16/);
  });

  test('without an end is left at the limit, whatever its size claims', async () => {
    await expect(readWhole('/dev/zero', 50e6)).rejects.toThrow(
      'The file "/dev/zero" cannot be read: it is larger than 50 MB.',
    );
  });

  test('that is a folder, or is not there, is said so', async () => {
    await expect(readWhole(folder, 1e6)).rejects.toThrow(/^The file ".+" cannot be read: EISDIR/);
    await expect(readWhole(join(folder, 'a\nb'), 1e6)).rejects.toThrow(/^There is no file ".+a\\u\{a\}b"\.$/);
  });
});

test("what would move a terminal's cursor, or hide in it, is written out; letters of all scripts stay", () => {
  expect(printable('\u{1b}[2J\u{202e}x\u{200b}\r')).toBe('\\u{1b}[2J\\u{202e}x\\u{200b}\\u{d}');
  expect(printable('Zoë 手机 😀')).toBe('Zoë 手机 😀');
});

describe('tabloom plan', () => {
  test('plans a file with a byte-order mark, and the same from standard input', async () => {
    const path = join(FIXTURES, 'byte-order-mark.json');
    const [fromFile, fromInput] = await Promise.all([
      plan([path, '--policy', 'exact', '--json']),
      plan(['-', '--policy', 'exact'], readFileSync(path, 'utf8')),
    ]);
    expect(fromFile).toMatchObject({ code: 0, problem: '' });
    // a takes 2 s and b 1 s; 1 Mbit over 1 MHz at 3 bit/s/Hz: 2 + 1/(3x) = 1 + 1/(3 - 3x).
    expect(JSON.parse(fromFile.out)).toMatchObject({
      feasible: true,
      assignments: [
        { device: 'b', depth: 1, computeSeconds: 1 },
        { device: 'a', depth: 2, computeSeconds: 2 },
      ],
    });
    const shareOfA = (1 + Math.sqrt(13)) / 6;
    expect(JSON.parse(fromFile.out).latencySeconds).toBeCloseTo(2 + 1 / (3 * shareOfA), 9);
    expect(fromInput).toMatchObject({ code: 0, problem: '' });
    expect(fromInput.out).toMatch(/^policy exact .+\nlatency 2\.434 s/);
  });

  test.each(['detailed-bits-1e308.json', 'max-link-detailed.json'])('%s ends with one sentence', async (name) => {
    const { code, out, problem } = await plan([join(FIXTURES, name), '--json']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(problem).toMatch(/^tabloom: The problem's \S+ is wrong: \S+ must be 0 or between 1e-50 and 1e50\.\n$/);
  });

  test('ends when its time is up, with a sentence and exit code 1', async () => {
    // Less than it takes a thread to begin.
    const path = file('large.json', JSON.stringify(generateFleet(1, { devices: 400, layers: 24, samples: 1000 })));
    const { code, out, problem } = await plan([path, '--policy', 'teams', '--time-limit', '0.02']);
    expect({ code, problem }).toEqual({ code: 1, problem: '' });
    expect(out).toBe(
      'No plan: there was none within 0.02 s; allow more with --time-limit or choose a simpler policy\n',
    );
  });

  test.each([
    ['no file', [], /The file of a planning problem is missing/],
    ['two files', ['a', 'b'], /"b" is one argument too many/],
    ['a policy nobody knows', ['-', '--policy', 'best'], /--policy must be one of .+, not "best"/],
    ['no time', ['-', '--time-limit', '0'], /--time-limit must be a number from 0.001 to 86400, not "0"/],
    ['half a seed', ['-', '--seed', '1.5'], /--seed must be a whole number/],
  ])('%s: exit code 2 and a sentence', async (_, argv, sentence) => {
    const { code, out, problem } = await plan(argv, JSON.stringify(generateProblem(1, { devices: 2, depths: 1 })));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(problem).toMatch(sentence);
    expect(problem.trim().split('\n')).toHaveLength(1);
  });

  test('a name that would change the terminal is written out', async () => {
    const problem = JSON.parse(TABLE);
    problem.devices[0].id = '\u{1b}[31mred';
    const { out } = await plan(['-', '--policy', 'single'], JSON.stringify(problem));
    expect(out).toContain('\\u{1b}[31mred');
    expect(out).not.toContain('\u{1b}');
  });
});
