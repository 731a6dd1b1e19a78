import { resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { bytesText } from '../protocol/words/quantities.ts';

/** Something that the person at the command line can mend; becomes one sentence and exit code 2. */
export class CommandError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

/** parseArgs whose complaints are sentences; `what` names the argument that may be missing. */
export function readArguments<T extends Options>(
  argv: string[],
  options: T,
  positionals: { min: number; max: number; what?: string },
) {
  try {
    const parsed = parseArgs({ args: argv, options, allowPositionals: true, strict: true });
    // With --help nothing else needs to be right.
    if ('help' in parsed.values && parsed.values.help === true) return parsed;
    if (parsed.positionals.length < positionals.min)
      throw new Error(`${positionals.what ?? 'An argument'} is missing.`);
    if (parsed.positionals.length > positionals.max)
      throw new Error(`"${parsed.positionals[positionals.max]}" is one argument too many.`);
    return parsed;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // parseArgs explains at length how to quote; its first sentence says what is wrong.
    const sentence = message.split(/\. |\n/)[0].replace(/\.$/, '');
    throw new CommandError(`${sentence}. Add --help to see what is possible.`);
  }
}

/** For a terminal: what would move its cursor or change its colours is written as an escape. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** What `--cache` says: a folder, or null for `none`. */
export function cacheFolder(text: string): string | null {
  if (text.trim() === '') throw new CommandError('--cache names a folder, or says none.');
  return text === 'none' ? null : resolve(text);
}

export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text.trim()) || value < min || value > max)
    throw new CommandError(`--${name} must be a whole number from ${min} to ${max}, not "${text}".`);
  return value;
}

export function number(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < min || value > max)
    throw new CommandError(`--${name} must be a number from ${min} to ${max}, not "${text}".`);
  return value;
}

/** What a device may be told that training takes at most. */
export const LEAST_MEMORY_BYTES = 1e6;
export const MOST_MEMORY_BYTES = 1e12;

const UNITS: Readonly<Record<string, number>> = { kb: 1e3, mb: 1e6, gb: 1e9 };

/** An amount of memory: 300MB, 1.5GB, or a plain number of gigabytes. */
export function byteCount(name: string, text: string, min: number, max: number): number {
  const [, digits = '', unit = 'gb'] = /^\s*([\d.]+)\s*([km]b|gb)?\s*$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
  if (digits === '' || !Number.isFinite(bytes) || bytes < min || bytes > max)
    throw new CommandError(
      `--${name} must be an amount of memory such as 300MB or 2GB, from ${bytesText(min)} to ${bytesText(max)}, not "${text}".`,
    );
  return bytes;
}

export function oneOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((c) => c === text);
  if (choice === undefined) throw new CommandError(`--${name} must be one of ${choices.join(', ')}, not "${text}".`);
  return choice;
}
