import type { Fault } from '../table.ts';

/** Numbers as people and programs write them in a label's column. */

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;

/**
 * The same text for every spelling of a decimal number, exactly and of any size: "1", "1.0", "+1e0" give "1e0"; null for anything else,
 * hexadecimal, "1,5" and "NaN" included.
 */
export function canonicalNumber(text: string): string | null {
  const found = NUMBER.exec(text);
  if (found === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = found;
  if (whole === '' && fraction === '') return null;
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  if (all === '') return '0e0';
  const digits = all.replace(/0+$/, '');
  const power = Number(exponent) - fraction.length + (all.length - digits.length);
  return `${sign === '-' ? '-' : ''}${digits}e${power}`;
}

/** Whether the number, as `canonicalNumber` gave it, has a fraction. */
export const hasFraction = (canonical: string): boolean => canonical.includes('e-');

export const NO_NUMBER = 'a label that is not a number';
export const COMMA = 'a comma in a number; write 1.5, not 1,5';
export const GROUPED = 'separators in a number; write 1000, not 1 000';
export const RADIX = 'a number that is not decimal';
export const DATE = 'a date or a time instead of a number';
export const NOT_FINITE = 'NaN or Infinity instead of a number';
export const TOO_LARGE = 'a number beyond what float32 holds';
export const TOO_SMALL = 'a number so small that float32 holds it as 0';

const OTHER_NUMBERS: readonly (readonly [form: RegExp, reason: string])[] = [
  [/^[+-]?(nan|inf(inity)?)$/i, NOT_FINITE],
  [/^[+-]?0[xob][0-9a-f]+$/i, RADIX],
  [/^\d{4}([-/.])\d{1,2}\1\d{1,2}([T ].*)?$/, DATE],
  [/^\d{1,2}([-/.])\d{1,2}\1\d{2}(\d{2})?([T ].*)?$/, DATE],
  [/^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$/, DATE],
  [/^(\d{1,2}\.? )?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?( \d{1,2},?)? \d{4}$/i, DATE],
  [/^[+-]?\d*,\d+([eE][+-]?\d+)?$/, COMMA],
  [/^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/, GROUPED],
  [/^[+-]?\d{1,3}([ '’_\u00a0\u2009\u202f]\d{3})+([.,]\d*)?$/, GROUPED],
  [/^[+-]?\d{1,3}(\.\d{3}){2,}(,\d*)?$/, GROUPED],
  [/^[+-]?\d{1,3}(\.\d{3})+,\d+$/, GROUPED],
];

/** Why a text that means a number is not read as one, or null where it means none. */
export const otherNumber = (text: string): string | null =>
  OTHER_NUMBERS.find(([form]) => form.test(text))?.[1] ?? null;

/** A score, or why it is none. What float32 rounds to the last digit is taken; what it makes infinite or nothing of is not. */
export function readScore(text: string): number | Fault {
  const canonical = canonicalNumber(text);
  if (canonical === null) return { reason: otherNumber(text) ?? NO_NUMBER, example: text };
  const value = Number(text);
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return { reason: TOO_LARGE, example: text };
  if (single === 0 && canonical !== '0e0') return { reason: TOO_SMALL, example: text };
  return value === 0 ? 0 : value;
}
