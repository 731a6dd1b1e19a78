/**
 * pcg4d of Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020: four u32 words to four u32 words, with
 * integer operations only, so that WGSL and TypeScript agree bit for bit. Reads `words[at..at+3]` and writes them back.
 */
export function pcg4d(words: Uint32Array, at = 0): void {
  let x = (Math.imul(words[at]!, 1664525) + 1013904223) | 0;
  let y = (Math.imul(words[at + 1]!, 1664525) + 1013904223) | 0;
  let z = (Math.imul(words[at + 2]!, 1664525) + 1013904223) | 0;
  let w = (Math.imul(words[at + 3]!, 1664525) + 1013904223) | 0;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  w ^= w >>> 16;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  words[at] = x;
  words[at + 1] = y;
  words[at + 2] = z;
  words[at + 3] = w;
}
