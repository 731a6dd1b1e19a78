import { describe, expect, test } from 'vitest';
import { decodeText, detectDialect, parseTable } from '../../worker/data/delimited.ts';

const fields = (text: string) => parseTable(text).rows.map((row) => row.fields);

describe('dialects', () => {
  test.each([
    ['a,b\n1,2\n3,4\n', ',', true],
    ['a;b\n1,5;2\n3,25;4\n', ';', true],
    ['a\tb\nx, y\tz, w\n', '\t', true],
    ['a|b\n1|2\n', '|', true],
    // Commas within quotes are no delimiters.
    ['text;label\n"a, b, c";1\n"d, e, f";0\n', ';', true],
    // GLUE's files: a quote is a character, and need not be closed.
    ['sentence\tlabel\n" unclosed \t1\n"so" he said\t0\n', '\t', false],
    ['one column\nonly\n', ',', true],
    ['', ',', true],
  ])('%j', (text, delimiter, quoted) => {
    expect(detectDialect(text)).toEqual({ delimiter, quoted });
  });

  test('a long file is told by its beginning, even if that ends inside quotes', () => {
    const text = `text,label\n${'"a sentence, quoted",1\n'.repeat(4000)}`;
    expect(detectDialect(text)).toEqual({ delimiter: ',', quoted: true });
    const broken = `text,label\n${'"two\nlines, quoted",1\n'.repeat(4000)}`;
    expect(detectDialect(broken)).toEqual({ delimiter: ',', quoted: true });
  });
});

test('quotes, doubled quotes, delimiters and line breaks within fields', () => {
  const text = 'text,label\r\n"He said ""no"", twice.",1\r\n"two\r\nlines",0\r\n"",1\r\n,0';
  expect(fields(text)).toEqual([
    ['He said "no", twice.', '1'],
    ['two\r\nlines', '0'],
    ['', '1'],
    ['', '0'],
  ]);
});

test('a quote inside an unquoted field is a character', () => {
  expect(fields('text,label\n5" screen,1\n')).toEqual([['5" screen', '1']]);
});

test('line breaks of all three kinds, blank lines, a byte-order mark', () => {
  for (const eol of ['\n', '\r\n', '\r']) {
    const table = parseTable(['\ufefftext,label', 'a,1', '', 'b,0', '  ', ''].join(eol));
    expect(table.header).toEqual(['text', 'label']);
    expect(table.rows).toEqual([
      { line: 2, fields: ['a', '1'] },
      { line: 4, fields: ['b', '0'] },
    ]);
    expect(table.bad).toEqual([]);
  }
});

test('bad rows are counted with line and reason; the rows after them are read', () => {
  const text = [
    'text,label',
    'good,1',
    'too,many,fields',
    'few',
    '"after" the quote,1',
    '"multi\nline",0',
    'x,"never',
  ].join('\n');
  const { rows, bad } = parseTable(text, { delimiter: ',', quoted: true });
  expect(rows).toEqual([
    { line: 2, fields: ['good', '1'] },
    { line: 6, fields: ['multi\nline', '0'] },
  ]);
  expect(bad).toEqual([
    { line: 3, reason: '3 fields instead of 2' },
    { line: 4, reason: '1 field instead of 2' },
    { line: 5, reason: 'text after a closing quote' },
    { line: 8, reason: 'a quote that is never closed' },
  ]);
});

test('every row of a table is either read or bad', () => {
  // Lines put together at random from pieces that make trouble.
  const pieces = ['"', '""', ',', 'a', ' ', '\t', 'b"c', '"d"', '1'];
  let state = 12345;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let trial = 0; trial < 300; trial++) {
    const lines = Array.from({ length: 12 }, () =>
      Array.from({ length: 1 + random(6) }, () => pieces[random(pieces.length)]).join(''),
    );
    const text = ['text,label', ...lines].join('\n');
    const unquoted = parseTable(text, { delimiter: ',', quoted: false });
    const blank = lines.filter((line) => line.trim() === '').length;
    expect(unquoted.rows.length + unquoted.bad.length + blank).toBe(12);
    const { rows, bad } = parseTable(text, { delimiter: ',', quoted: true });
    const seen = [...rows, ...bad].map(({ line }) => line);
    expect(new Set(seen).size).toBe(seen.length);
    expect(Math.max(1, ...seen)).toBeLessThanOrEqual(13);
  }
});

test('a table written as CSV reads back as it was', () => {
  const values = ['plain', '', 'a,b', '"', '""', 'say "x"', 'two\nlines', '\r\n', ' spaced ', 'ünïcode 😀', "it's"];
  const quote = (value: string) => `"${value.replaceAll('"', '""')}"`;
  const rows = values.flatMap((a) => values.map((b) => [a, b]));
  const text = ['text,label', ...rows.map((row) => row.map(quote).join(','))].join('\n');
  const table = parseTable(text);
  expect(table.dialect).toEqual({ delimiter: ',', quoted: true });
  expect(table.bad).toEqual([]);
  expect(table.rows.map((row) => row.fields)).toEqual(rows);
});

test('encodings', () => {
  expect(decodeText(new TextEncoder().encode('\ufeffä'))).toBe('ä');
  expect(decodeText(new Uint8Array([0xff, 0xfe, 0xe4, 0x00]))).toBe('ä');
  expect(decodeText(new Uint8Array([0xfe, 0xff, 0x00, 0xe4]))).toBe('ä');
  expect(decodeText(new Uint8Array([0x61, 0xe4]))).toBe('aä');
});
