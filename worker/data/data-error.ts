import { SentenceError } from '../../signaling/protocol/text/sentence-error.ts';

/** Data that cannot be used; the message is one sentence for the person who chose it. */
export class DataError extends SentenceError {
  override readonly name = 'DataError';
}
