import { TokenizerError } from './tokenizer-error.ts';

/** What SentencePiece takes off the lowest score for a character that no piece covers. */
const UNKNOWN_PENALTY = 10;
const MAX_PIECES = 1_000_000;

/** Nodes by UTF-16 unit; `id` where a piece ends. */
interface Node {
  readonly next: Map<number, Node>;
  id: number;
}

/** What stands for a byte in the vocabularies of SentencePiece. */
export const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;

export interface UnigramModel {
  readonly vocab: readonly (readonly [piece: string, score: number])[];
  readonly unknownId: number | null;
  readonly byteFallback: boolean;
}

/**
 * The most probable segmentation of a word under a Unigram model (Kudo, ACL 2018), by Viterbi from left to right; of equal ones the first
 * that is found wins, and unknown characters that follow each other are one, as in Hugging Face's tokenizers.
 */
export function unigramIds({ vocab, unknownId, byteFallback }: UnigramModel): (word: string) => number[] {
  if (vocab.length === 0 || vocab.length > MAX_PIECES)
    throw new TokenizerError(`tokenizer.json has ${vocab.length} pieces; 1 to ${MAX_PIECES} are read.`);
  const root: Node = { next: new Map(), id: -1 };
  const idOf = new Map<string, number>();
  let lowest = Number.POSITIVE_INFINITY;
  for (const [id, [piece, score]] of vocab.entries()) {
    idOf.set(piece, id);
    lowest = Math.min(lowest, score);
    let node = root;
    for (let i = 0; i < piece.length; i++) {
      const unit = piece.charCodeAt(i);
      let child = node.next.get(unit);
      if (child === undefined) {
        child = { next: new Map(), id: -1 };
        node.next.set(unit, child);
      }
      node = child;
    }
    node.id = id;
  }
  const unknownScore = lowest - UNKNOWN_PENALTY;
  const encoder = new TextEncoder();
  const ofPiece = (piece: string): number[] => {
    const id = idOf.get(piece);
    if (id !== undefined) return [id];
    if (byteFallback) {
      const bytes = [...encoder.encode(piece)].map((byte) => idOf.get(byteToken(byte)));
      if (bytes.every((byte) => byte !== undefined)) return bytes;
    }
    if (unknownId === null) throw new TokenizerError('The tokenizer has no id for a character that it does not know.');
    return [unknownId];
  };

  return (word) => {
    const size = word.length;
    const score = new Float64Array(size + 1);
    const from = new Int32Array(size + 1).fill(-1);
    const isUnknown = new Uint8Array(size + 1);
    const offer = (start: number, end: number, value: number, unknown: boolean) => {
      if (from[end] !== -1 && value <= score[end]!) return;
      score[end] = value;
      from[end] = start;
      isUnknown[end] = unknown ? 1 : 0;
    };
    for (let start = 0; start < size; ) {
      const step = word.codePointAt(start)! > 0xffff ? 2 : 1;
      let isCovered = false;
      let node: Node | undefined = root;
      for (let end = start; end < size; ) {
        node = node.next.get(word.charCodeAt(end++));
        if (node === undefined) break;
        if (node.id < 0) continue;
        offer(start, end, score[start]! + vocab[node.id]![1], node.id === unknownId);
        isCovered ||= end - start === step;
      }
      if (!isCovered) offer(start, start + step, score[start]! + unknownScore, true);
      start += step;
    }
    const pieces: string[] = [];
    let unknownEnd = -1;
    for (let end = size; end > 0; end = from[end]!) {
      const start = from[end]!;
      if (isUnknown[end] === 1) {
        if (unknownEnd < 0) unknownEnd = end;
        if (start === 0 || isUnknown[start] !== 1) {
          pieces.push(word.slice(start, unknownEnd));
          unknownEnd = -1;
        }
      } else pieces.push(word.slice(start, end));
    }
    return pieces.reverse().flatMap(ofPiece);
  };
}
