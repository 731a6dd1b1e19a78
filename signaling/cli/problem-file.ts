import { createReadStream } from 'node:fs';
import { CommandError, printable } from './command-line.ts';

/** The text must also fit one string, and V8's end just above this. */
const MAX_FILE_BYTES = 500e6;

/** What a file holds, or what comes over standard input where its path is `-`. Ends at the limit, whatever the file says of its size. */
export async function readProblemFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of path === '-' ? process.stdin : createReadStream(path)) {
      size += (chunk as Buffer).length;
      if (size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES / 1e6} MB`);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandError(
      code === 'ENOENT'
        ? `There is no file "${printable(path)}".`
        : `The file "${printable(path)}" cannot be read: ${printable(message)}.`,
    );
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

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
