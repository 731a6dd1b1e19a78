import { createReadStream } from 'node:fs';
import { CommandError, printable } from './command-line.ts';

/**
 * What a file holds, or what comes over standard input where its path is `-`. Ends at the limit, whatever the file says of its size: pipes
 * and devices say nothing.
 */
export async function readWhole(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of path === '-' ? process.stdin : createReadStream(path)) {
      size += (chunk as Buffer).length;
      if (size > maxBytes) throw new Error(`it is larger than ${maxBytes / 1e6} MB`);
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
