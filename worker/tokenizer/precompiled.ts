import { TokenizerError } from './tokenizer-error.ts';

/**
 * SentencePiece's normaliser as `tokenizer.json` carries it ("Precompiled"): a table from pieces of UTF-8 to what replaces them. Layout of
 * the blob: u32 bytes of the trie, the trie, the replacements as strings that end in a zero. The trie is a double array as darts-clone
 * writes it (github.com/s-yata/darts-clone).
 */

const MAX_BYTES = 16 * 2 ** 20;
/** Longer clusters are looked up character by character, as Hugging Face's tokenizers do. */
const CLUSTER_BYTES = 6;
/** Replacements that are remembered; a text has few different characters. */
const MAX_REMEMBERED = 20_000;

/** @throws TokenizerError when the table is damaged. */
export function precompiledNormalizer(base64: string): (text: string) => string {
  const blob = decodeBase64(base64);
  const view = new DataView(blob.buffer);
  const trieBytes = blob.length >= 4 ? view.getUint32(0, true) : 0;
  if (trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > blob.length || trieBytes > MAX_BYTES)
    throw new TokenizerError('tokenizer.json: the table of its normaliser (precompiled_charsmap) is damaged.');
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const replacements = blob.subarray(4 + trieBytes);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const remembered = new Map<string, string | null>();

  /** What the shortest entry that `piece` begins with is replaced by; null where there is none. */
  const find = (piece: string): string | null => {
    let at = 0;
    at ^= offset(units[0]!);
    for (const byte of encoder.encode(piece)) {
      if (byte === 0) return null;
      at ^= byte;
      const unit = units[at];
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return null;
      at ^= offset(unit);
      if (((unit >>> 8) & 1) === 1) {
        const start = (units[at] ?? 0) & 0x7fffffff;
        const end = replacements.indexOf(0, start);
        return decoder.decode(replacements.subarray(start, end < 0 ? undefined : end));
      }
    }
    return null;
  };
  const replacement = (piece: string): string | null => {
    const known = remembered.get(piece);
    if (known !== undefined) return known;
    const found = find(piece);
    if (remembered.size < MAX_REMEMBERED) remembered.set(piece, found);
    return found;
  };
  const byCharacter = (text: string): string => {
    let out = '';
    for (const char of text) out += replacement(char) ?? char;
    return out;
  };
  if (!('Segmenter' in Intl))
    throw new TokenizerError(
      'This browser cannot find the clusters of characters (Intl.Segmenter) that the model’s tokenizer needs; a newer one can.',
    );
  const clusters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return (text) => {
    // Only CR LF is a cluster there.
    if (!/\P{ASCII}/u.test(text) && !text.includes('\r\n')) return byCharacter(text);
    let out = '';
    for (const { segment } of clusters.segment(text)) {
      const whole = encoder.encode(segment).length < CLUSTER_BYTES ? replacement(segment) : null;
      out += whole ?? byCharacter(segment);
    }
    return out;
  };
}

/** A unit holds a relative offset in its upper 22 bits, in steps of 256 where bit 9 says so. */
function offset(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}

function decodeBase64(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    throw new TokenizerError('tokenizer.json: the table of its normaliser (precompiled_charsmap) is not base64.');
  }
}
