import { describe, expect, it } from 'vitest';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import { rowsText } from '../../web/session/view/data-words.ts';
import { previewTable } from '../../worker/table/columns/preview.ts';
import { TOO_DEEP } from '../../worker/table/json-lines.ts';
import { readTable } from '../../worker/table/read-table.ts';
import { cpuMs } from '../cpu-ms.ts';

/** Rows that try every rule: quotes, separators and line breaks inside cells, letters of one, two, three and four bytes. */
const ROWS: readonly (readonly [string, string])[] = [
  ['plain words', 'yes'],
  ['a, b; c and d', 'no'],
  ['she said "no" twice', 'yes'],
  ['naïve café', 'no'],
  ['  spaces around  ', 'yes'],
  ['tab\there', 'no'],
  ["it's an apostrophe", 'yes'],
  ['back\\slash', 'no'],
  ...Array.from({ length: 32 }, (_, i): [string, string] => [`row ${i} is plain`, i % 2 ? 'yes' : 'no']),
];

const rfc = (cell: string, delimiter: string): string =>
  cell.includes('"') || cell.includes(delimiter) || /[\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;

const ENCODINGS: Readonly<Record<string, (text: string) => Uint8Array>> = {
  'UTF-8': (text) => Buffer.from(text, 'utf8'),
  'UTF-8 with a mark': (text) => Buffer.from(`\ufeff${text}`, 'utf8'),
  'UTF-16 LE with a mark': (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'UTF-16 LE': (text) => Buffer.from(text, 'utf16le'),
  'UTF-16 BE with a mark': (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
  'UTF-16 BE': (text) => Buffer.from(text, 'utf16le').swap16(),
  // Every character above is the same in Latin-1 and Windows-1252.
  'Windows-1252': (text) => Buffer.from(text, 'latin1'),
};
const DELIMITERS = { comma: ',', tab: '\t', semicolon: ';' };
const NEWLINES = { LF: '\n', CRLF: '\r\n', CR: '\r' };

const SCENES = Object.keys(ENCODINGS).flatMap((encoding) =>
  Object.entries(DELIMITERS).flatMap(([separator, delimiter]) =>
    Object.entries(NEWLINES).map(([newline, end]) => [encoding, separator, newline, delimiter, end] as const),
  ),
);

async function cells(bytes: Uint8Array): Promise<(readonly [string, string])[]> {
  const table = await readTable('file', bytes);
  const found: [string, string][] = [];
  // A row is good until the next one is asked for.
  for (const row of table.rows()) found.push([row.cell(0), row.cell(1)]);
  return found;
}

/** Rows of the file = rows used and rows left out. */
async function adds(bytes: Uint8Array): Promise<number> {
  const table = await readTable('file', bytes);
  const { report } = previewTable(table);
  expect(report.leftOut.reduce((sum, { count }) => sum + count, report.used)).toBe(report.rows);
  return report.rows;
}

describe('the separator', () => {
  const columns = async (text: string) => (await readTable('file.csv', Buffer.from(text))).columns;

  it.each([
    ['semicolons', 'name, first;age;city\nLee, Ann;30;Ulm\nRoe, Jo;41;Bonn\n', ['name, first', 'age', 'city']],
    ['commas', 'a;b,c,d\n1;2,3,4\n5;6,7,8\n', ['a;b', 'c', 'd']],
  ])('is the one that gives more columns, where two fit every row: %s', async (_, text, expected) => {
    expect(await columns(text)).toEqual(expected);
  });

  it('is the one that fits more rows, whatever the number of columns', async () => {
    expect(await columns('a;b,c,d\n1;2,3\n5;6,7,8,9\n')).toEqual(['a', 'b,c,d']);
  });
});

describe('a table', () => {
  it.each(SCENES)(
    'in %s, separated by %s, lines ending in %s, comes back as it was written',
    async (encoding, _, __, delimiter, end) => {
      const lines = [['text', 'label'], ...ROWS].map((row) => row.map((cell) => rfc(cell, delimiter)).join(delimiter));
      const bytes = ENCODINGS[encoding]!(lines.join(end) + end);
      expect(await cells(bytes)).toEqual(ROWS);
      expect(await adds(bytes)).toBe(ROWS.length);
    },
  );

  it('whose quotes are characters keeps every row, also where one is never closed', async () => {
    const rows = ROWS.map(([text, label]): [string, string] => [text.replaceAll('\t', ' '), label]);
    rows.splice(3, 0, ['"opens and goes on', 'yes']);
    rows.splice(20, 0, ['and ends here"', 'no']);
    const bytes = Buffer.from(`text\tlabel\n${rows.map((row) => row.join('\t')).join('\n')}\n`);
    expect(await cells(bytes)).toEqual(rows);
  });

  it('has line breaks inside quoted cells', async () => {
    const bytes = Buffer.from('text,label\n"one\ntwo",a\n"three\r\nfour",b\nfive,a\n');
    expect((await cells(bytes)).map(([text]) => text.replaceAll('\r', ''))).toEqual([
      'one\ntwo',
      'three\nfour',
      'five',
    ]);
  });

  it('of one object a line is read by its keys', async () => {
    const bytes = Buffer.from(ROWS.map(([text, label]) => JSON.stringify({ text, label })).join('\n'));
    expect(await cells(bytes)).toEqual(ROWS);
    expect(await adds(bytes)).toBe(ROWS.length);
  });

  it('with names that are empty or twice there has a name for each column', async () => {
    const { columns } = await readTable('file', Buffer.from('text,,text\na,b,c\nd,e,f\n'));
    expect(new Set(columns).size).toBe(3);
    expect(columns.every((name) => name !== '')).toBe(true);
  });

  it('cut off or changed anywhere is read or refused with a sentence, and its count adds up', async () => {
    const draws = drawsFrom(7);
    const whole = Buffer.from(
      `text,label\n${ROWS.map((row) => row.map((cell) => rfc(cell, ',')).join(',')).join('\n')}\n`,
    );
    let read = 0;
    for (let i = 0; i < 400; i++) {
      const bytes = Buffer.from(whole.subarray(0, 1 + draws.below(whole.length - 1)));
      for (let k = i % 5; k > 0; k--) bytes[draws.below(bytes.length)] = draws.below(256);
      const startMs = cpuMs();
      try {
        read += (await adds(bytes)) >= 0 ? 1 : 0;
      } catch (error) {
        expect(String(error)).toMatch(/^TableError: .+\.$/s);
      }
      expect(cpuMs() - startMs).toBeLessThan(1000);
    }
    expect(read).toBeGreaterThan(200);
  });

  it('of 24 MB takes time in proportion, and every row is there', async () => {
    const line = `${'some words of a text, '.repeat(4)}`;
    const bytes = (count: number) =>
      Buffer.from(`text,label\n${Array.from({ length: count }, (_, i) => `"${line}${i}",${i % 3}`).join('\n')}\n`);
    const [small, large] = [bytes(25_000), bytes(250_000)];
    const measured = async (file: Uint8Array): Promise<[rows: number, ms: number]> => {
      const startMs = process.cpuUsage().user;
      return [await adds(file), (process.cpuUsage().user - startMs) / 1000];
    };
    await measured(small);
    const [rows, smallMs] = await measured(small);
    const [many, largeMs] = await measured(large);
    expect([rows, many]).toEqual([25_000, 250_000]);
    // Ten times the rows; a hundred times would be quadratic.
    expect(largeMs / smallMs).toBeLessThan(40);
  }, 60_000);
});

describe('what is no table', () => {
  it.each([
    ['a spreadsheet or another archive', Buffer.from(`PK\u0003\u0004${'\0'.repeat(60)}[Content_Types].xml`, 'latin1')],
    ['a PDF', Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n')],
    ['a picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
    ['a web page', Buffer.from('<!DOCTYPE html><html><body>no</body></html>')],
    ['gzip', Buffer.from('1f8b0800000000000003cb48cdc9c9070086a6103605000000', 'hex')],
    ['bytes by chance', Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 197 + (i >> 3) * 31) % 256))],
    ['nothing', Buffer.alloc(0)],
  ])('%s is named in one sentence without anything of it', async (_, bytes) => {
    await expect(readTable('file\u001b[2J', bytes)).rejects.toThrow(/^file\\u001b\[2J[^\p{Cc}]+\.$/u);
  });
});

describe('JSON lines', () => {
  const nested = (depth: number): string => `{"text":"a","label":"b","more":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  it.each([
    [100, 2],
    [101, 1],
    [50_000, 1],
  ])('with lists %d deep: %d of 2 rows are used, none is lost without a word', async (depth, used) => {
    const { report } = previewTable(await readTable('file', Buffer.from(`${nested(1)}\n${nested(depth)}`)));
    expect([report.rows, report.used]).toEqual([2, used]);
    expect(report.leftOut).toEqual(used === 2 ? [] : [{ reason: TOO_DEEP, count: 1, lines: [2], example: null }]);
  });
});

it('a Parquet file whose metadata are no metadata is refused in words that are about the file', async () => {
  const damaged = Buffer.concat([
    Buffer.from('PAR1'),
    Buffer.alloc(500, 1),
    Buffer.of(100, 0, 0, 0),
    Buffer.from('PAR1'),
  ]);
  await expect(readTable('file', damaged)).rejects.toThrow(
    'file is a Parquet file that cannot be read (it is damaged).',
  );
});

it('a table of names alone has no rows, and is not said to be used', () => {
  expect([0, 1, 2].map((rows) => rowsText({ rows, used: rows }))).toEqual([
    'no rows below the names of its columns.',
    '1 row, used.',
    '2 rows, all of them used.',
  ]);
});
