import { probabilities, type TaskKind } from '../../signaling/protocol/scores.ts';
import type { TokenBatch } from '../api/batch.ts';
import { columnIndex } from '../data/table-examples.ts';
import type { Row, Table } from '../table/table.ts';
import { answerText } from './dev-report.ts';
import { answersOf } from './score.ts';

/** Rows that are asked about together. */
const BATCH_ROWS = 64;

/** What answers mean, and how texts become tokens. */
export interface Answering {
  readonly kind: TaskKind;
  readonly labelCount: number;
  readonly classNames: readonly string[];
  readonly threshold: number;
  readonly tokens: (texts: readonly { readonly text: string; readonly pair: string | null }[]) => TokenBatch;
}

interface Asked {
  /** Why the row has no answer, or null. */
  readonly fault: string | null;
}

/**
 * The rows of a file, one batch after the other, and the lines of a CSV file that answer them: as many, in the same order, whatever the
 * rows are. At most a batch of rows is held.
 */
export class FilePrediction {
  readonly #answering: Answering;
  readonly #rows: Iterator<Row>;
  readonly #text: number;
  readonly #pair: number | null;
  #asked: readonly Asked[] = [];

  /** @throws DataError when a column is missing. */
  constructor(table: Table, columns: { readonly text: string; readonly pair: string | null }, answering: Answering) {
    this.#answering = answering;
    this.#text = columnIndex(table, columns.text);
    this.#pair = columns.pair === null ? null : columnIndex(table, columns.pair);
    this.#rows = table.rows()[Symbol.iterator]();
  }

  /** The file's first line: the answer, each class's probability, and why a row has no answer. */
  header(): string {
    const { classNames, labelCount, kind } = this.#answering;
    const names = kind === 'regression' ? [] : Array.from({ length: labelCount }, (_, i) => `p_${classNames[i] ?? i}`);
    return line(['label', ...names, 'left_out']);
  }

  /** The next rows' tokens; null at the end. A batch may be empty of samples, where no row of it can be asked about. */
  next(): { readonly rows: number; readonly batch: TokenBatch | null } | null {
    const asked: Asked[] = [];
    const texts: { text: string; pair: string | null }[] = [];
    for (let next = this.#rows.next(); !next.done; next = this.#rows.next()) {
      const row = next.value;
      const text = row.fault === null ? row.cell(this.#text) : '';
      const pair = row.fault === null && this.#pair !== null ? row.cell(this.#pair) : null;
      const empty = text.trim() === '' || pair?.trim() === '';
      const fault = row.fault?.reason ?? (empty ? 'an empty text' : null);
      asked.push({ fault });
      if (fault === null) texts.push({ text, pair });
      if (asked.length === BATCH_ROWS) break;
    }
    this.#asked = asked;
    if (asked.length === 0) return null;
    return { rows: asked.length, batch: texts.length === 0 ? null : this.#answering.tokens(texts) };
  }

  /** The lines of the rows that `next` gave last, from their logits, (samples, labels). */
  lines(logits: Float32Array): string {
    const { kind, labelCount, threshold } = this.#answering;
    if (!logits.every(Number.isFinite)) throw new Error('The model answers with values that are not finite.');
    const names = kind === 'regression' ? 0 : labelCount;
    let sample = 0;
    let out = '';
    for (const { fault } of this.#asked) {
      if (fault !== null) {
        out += line(['', ...new Array<string>(names).fill(''), fault]);
        continue;
      }
      const own = logits.subarray(sample * labelCount, (sample + 1) * labelCount);
      sample += 1;
      const answers = answersOf({ id: '', kind, labelCount }, own, threshold);
      const shares = probabilities(kind, own).map((share) => String(Number(share.toPrecision(6))));
      out += line([answerText(this.#answering, Array.from(answers)), ...shares, '']);
    }
    return out;
  }
}

/** One line of RFC 4180's, whose end is a newline alone. */
const line = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\n`;

const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
