import { printable } from './command-line.ts';

/** JSON in UTF-8 or UTF-16, with or without a byte-order mark. Throws an error with one sentence on what the bytes are not. */
export function parseProblemText(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw new Error('The problem file is empty; docs/planner.md shows what belongs in it.');
  let text: string;
  try {
    text = new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
  } catch {
    throw new Error('The problem file is not text in UTF-8 or UTF-16; a problem is JSON (docs/planner.md).');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // Up to where V8 begins to quote the file.
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split(/, (?:\.\.\.)?"/, 1);
    throw new Error(`The problem file is not JSON: ${printable(message.replace(/ is not valid JSON$/, ''))}.`);
  }
}

/** JSON begins with an ASCII character: where zeros lie among its first bytes tells the width and the order (RFC 4627, section 3). */
function encodingOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be';
  return 'utf-8';
}
