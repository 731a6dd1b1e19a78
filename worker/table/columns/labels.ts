import type { LabelPreview } from '../../api/tables.ts';
import type { Fault } from '../table.ts';
import { COMMA, canonicalNumber, hasFraction, NO_NUMBER, otherNumber, readScore } from './numbers.ts';

/** What a column's values are as labels: classes, one for each number however it is spelled, or scores. */

/** More different labels than that are hardly classes. */
export const MAX_TABLE_CLASSES = 100;
export const MAX_CLASS_NAME = 60;
/** So many different whole numbers are classes without a question. */
const MAX_PLAIN_NUMBERS = 10;
/** Different values beyond that are not told apart. */
const MAX_DIFFERENT = 5000;
/** A column is one of numbers if so many of its labels are. */
const MOSTLY = 0.9;

export const EMPTY_LABEL = 'an empty label';
export const UNKNOWN_LABEL = 'a label that the training rows do not have';
export const UNREADABLE_LABEL = 'unreadable bytes in the label';
const REPLACEMENT = '\ufffd';
/** What programs write where a number is missing; among numbers it names no class. */
const MISSING = /^(nan|na|n\/a|#n\/a|<na>|nat|null|none|nil|\\n|[-?.]|[+-]?inf(inity)?)$/i;

/** What the label column holds: one of some names, whose order gives the classes' indices, or a number to predict. */
export type LabelReading = ClassReading | { readonly kind: 'number' };

export interface ClassReading {
  readonly kind: 'classes';
  readonly names: readonly string[];
  readonly indices: ReadonlyMap<string, number>;
}

/** Two labels with the same key are one class. */
const keyOf = (label: string): string => canonicalNumber(label) ?? `=${label}`;

export function classReading(names: readonly string[]): ClassReading {
  return { kind: 'classes', names, indices: new Map(names.map((name, index) => [keyOf(name), index])) };
}

/** A class's index or the score, or why the cell is no label. */
export function readLabel(cell: string, reading: LabelReading): number | Fault {
  const label = cell.trim();
  if (label === '') return { reason: EMPTY_LABEL, example: null };
  if (label.includes(REPLACEMENT)) return { reason: UNREADABLE_LABEL, example: label };
  if (reading.kind === 'number') return readScore(label);
  const index = reading.indices.get(keyOf(label));
  if (index !== undefined) return index;
  const numbers = reading.names.every((name) => canonicalNumber(name) !== null);
  return { reason: numbers && MISSING.test(label) ? NO_NUMBER : UNKNOWN_LABEL, example: label };
}

/** Counts a column's values, in bounded memory. */
export class LabelTally {
  readonly #spellings = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  #numbers = 0;
  #likeNumbers = 0;
  #missing = 0;
  #others = 0;
  #fractions = false;
  #full = false;

  /** Whether there are so many different values that further ones change nothing. */
  get isFull(): boolean {
    return this.#full;
  }

  add(cell: string): void {
    const label = cell.trim();
    if (label === '' || label.includes(REPLACEMENT)) return;
    const number = canonicalNumber(label);
    if (number !== null) {
      this.#numbers += 1;
      this.#fractions ||= hasFraction(number);
    } else if (MISSING.test(label)) this.#missing += 1;
    else {
      const like = otherNumber(label);
      if (like === null) this.#others += 1;
      else this.#likeNumbers += 1;
      this.#fractions ||= like === COMMA;
    }
    const key = keyOf(label);
    const known = this.#spellings.get(key);
    if (known === undefined && this.#spellings.size >= MAX_DIFFERENT) {
      this.#full = true;
      return;
    }
    this.#counts.set(key, 1 + (this.#counts.get(key) ?? 0));
    if (known === undefined || isSimpler(label, known)) this.#spellings.set(key, label);
  }

  /** The classes' names: whole columns of numbers in their order, anything else in that of its characters; the same on every machine. */
  classNames(): readonly string[] {
    const all = [...this.#spellings].filter(([, name]) => !this.#isMissing(name));
    const numeric = all.every(([key]) => !key.startsWith('='));
    return all.map(([, name]) => name).sort(numeric ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1));
  }

  #isMissing(name: string): boolean {
    return this.#others + this.#likeNumbers === 0 && this.#numbers > 0 && MISSING.test(name);
  }

  preview(): LabelPreview {
    const names = this.classNames();
    const numbers = this.#numbers + this.#likeNumbers;
    const others = this.#others + this.#missing;
    const different = names.filter((name) => canonicalNumber(name) !== null || otherNumber(name) !== null).length;
    const mostly = numbers > 0 && numbers >= MOSTLY * (numbers + this.#others);
    const asked = mostly && different > 1 && (different > MAX_PLAIN_NUMBERS || this.#fractions);
    return {
      classNames: names.length > MAX_TABLE_CLASSES ? null : names,
      classCounts: names.length > MAX_TABLE_CLASSES ? null : names.map((name) => this.#counts.get(keyOf(name)) ?? 0),
      numbers: this.#numbers,
      others: others + this.#likeNumbers,
      differentNumbers: different,
      kind: asked ? 'asked' : 'classes',
    };
  }
}

/** The shorter spelling names the class: 1, not 1.0. */
const isSimpler = (label: string, known: string): boolean =>
  label.length < known.length || (label.length === known.length && label < known);
