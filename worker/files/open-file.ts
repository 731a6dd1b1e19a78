import { type ByteSource, SourceError } from './byte-source.ts';
import { httpSource } from './http-source.ts';

/** Opens an address; browsers know http(s) alone, a headless device adds `file:` (file-source.ts). */
export type OpenFile = (url: string) => Promise<ByteSource>;

export const openHttp: OpenFile = (url) => httpSource(url);

/** XLM-R's tokenizer has 17 MB; more is no file that describes something. */
export const MAX_JSON_BYTES = 64 * 2 ** 20;

/** @throws SourceError when the file is not there, not JSON, or larger than `maxBytes`. */
export async function readJson(open: OpenFile, url: string, maxBytes = MAX_JSON_BYTES): Promise<unknown> {
  const file = await open(url);
  if (file.size > maxBytes) throw new SourceError(`${url} has ${file.size} bytes; at most ${maxBytes} are read.`);
  try {
    return JSON.parse(new TextDecoder().decode(await file.read(0, file.size)));
  } catch (error) {
    if (error instanceof SyntaxError) throw new SourceError(`${url} is not JSON.`);
    throw error;
  }
}
