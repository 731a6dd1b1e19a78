import { SentenceError } from '../../../signaling/protocol/text/sentence-error.ts';

/** A file that cannot be used as a table; the message is one sentence for the person who chose it. */
export class TableError extends SentenceError {
  override readonly name = 'TableError';
}
