import type { TokenBatch } from '../api/batch.ts';
import type { NamedFile, TextColumns } from '../api/tables.ts';
import { tokenBatch } from '../data/batches.ts';
import type { Example } from '../data/example.ts';
import { FilePrediction } from '../score/file-prediction.ts';
import { readTable } from '../table/read-table.ts';
import type { HostState } from './host-state.ts';

/** A session's examples as tokens. */
export function tokensOf({ tokenRows, shape }: HostState, examples: readonly Example[]): TokenBatch {
  return tokenBatch(
    examples,
    examples.map((example) => tokenRows.of(example)),
    shape.padTokenId,
  );
}

export const hasPairs = ({ examples }: Pick<HostState, 'examples'>): boolean => examples.train[0]?.pair != null;

/** Texts that are in no data set: one that a person types, or a file of them. */
export class HostTexts {
  readonly #opened: () => HostState;
  #file: FilePrediction | null = null;

  constructor(opened: () => HostState) {
    this.#opened = opened;
  }

  typed(text: string, pair: string | null): TokenBatch {
    const pairs = hasPairs(this.#opened());
    if (text.trim() === '') throw new Error('There is no text to try; type a sentence.');
    if (pairs && (pair ?? '').trim() === '')
      throw new Error('This task is about two texts; type the second one as well.');
    if (!pairs && pair !== null) throw new Error('This task is about one text; leave the second one out.');
    return this.#tokens([{ text, pair }]);
  }

  async open({ name, bytes }: NamedFile, columns: TextColumns): Promise<{ rows: number; header: string }> {
    const host = this.#opened();
    if (hasPairs(host) !== (columns.pair !== null))
      throw new Error(
        hasPairs(host)
          ? 'This task is about two texts; say which column holds the second one.'
          : 'This task is about one text; leave the second column out.',
      );
    const table = await readTable(name, bytes, 1);
    const { kind, labelCount, classNames } = host.task;
    const { threshold } = host.training;
    this.#file = new FilePrediction(table, columns, {
      ...{ kind, labelCount, classNames, threshold },
      tokens: (texts) => this.#tokens(texts),
    });
    let rows = 0;
    for (const _ of table.rows()) rows += 1;
    return { rows, header: this.#file.header() };
  }

  next(): { rows: number; batch: TokenBatch | null } | null {
    return this.#openFile().next();
  }

  lines(logits: Float32Array): string {
    return this.#openFile().lines(logits);
  }

  #openFile(): FilePrediction {
    if (this.#file === null) throw new Error('No file is open to be predicted.');
    return this.#file;
  }

  #tokens(texts: readonly { readonly text: string; readonly pair: string | null }[]): TokenBatch {
    const host = this.#opened();
    const { kind, labelCount } = host.task;
    const label = kind === 'multi-label' ? new Array<number>(labelCount).fill(0) : 0;
    const { tokenizer, shape, request } = host;
    return tokenBatch(
      texts.map(({ text, pair }) => ({ text, pair, label })),
      texts.map(({ text, pair }) => tokenizer.encode(text, pair, request.training.maxTokens)),
      shape.padTokenId,
    );
  }
}
