import { type ByteSource, SourceError } from './byte-source.ts';
import { httpSource } from './http-source.ts';

/** Opens an address; browsers know http(s) alone, a headless device adds `file:` (file-source.ts). */
export type OpenFile = (url: string) => Promise<ByteSource>;

export const openHttp: OpenFile = (url) => httpSource(url);

/** @throws SourceError when the file is not there or not JSON. */
export async function readJson(open: OpenFile, url: string): Promise<unknown> {
  const file = await open(url);
  try {
    return JSON.parse(new TextDecoder().decode(await file.read(0, file.size)));
  } catch (error) {
    if (error instanceof SyntaxError) throw new SourceError(`${url} is not JSON.`);
    throw error;
  }
}
