import { brief } from './visible.ts';

/** Longer than any sentence of ours; some are several. */
const MOST = 900;

/** An error that is told to a person. What it quotes of a file, an address or a peer can neither move a cursor nor fill the screen. */
export class SentenceError extends Error {
  override readonly name: string = 'SentenceError';

  constructor(sentence: string, options?: ErrorOptions) {
    super(brief(sentence, MOST), options);
  }
}
