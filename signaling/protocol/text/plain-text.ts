import * as v from 'valibot';

/** Breaks of lines and blanks of every kind; one space stands for any run of them. */
const BLANKS = /[\t-\r\u0085\p{Z}]+/gu;
/** Control and format characters (what turns the direction of reading is among them), halves of pairs, and what has no picture of its own. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * A text as a person sees it, and nothing that they do not see: it cannot forge a line of a log, run backwards over its neighbours, or
 * grow when JSON escapes it. At most three bytes for each UTF-16 code unit.
 */
export const plainText = (text: string): string => text.replace(BLANKS, ' ').replace(UNSEEN, '').trim();

/** What two names have in common that people would take for the same: compatible forms (NFKC) and capitals are no difference. */
export const comparableName = (name: string): string => plainText(name.normalize('NFKC')).toLowerCase();

/** Reads a text of at most `max` UTF-16 code units as plain text; `min` 0 lets an empty one pass. */
export const textSchema = (max: number, min = 1) =>
  v.pipe(v.string(), v.maxLength(8 * max), v.transform(plainText), v.minLength(min), v.maxLength(max));

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A pair takes four bytes, two for each half; half of a pair alone becomes U+FFFD, which takes three.
    if (unit >= 0x800) bytes += unit >= 0xd800 && unit < 0xe000 && isPaired(text, i) ? 1 : 2;
    else if (unit >= 0x80) bytes += 1;
  }
  return bytes;
}

function isPaired(text: string, at: number): boolean {
  const isHigh = (i: number): boolean => (text.charCodeAt(i) & 0xfc00) === 0xd800;
  const isLow = (i: number): boolean => (text.charCodeAt(i) & 0xfc00) === 0xdc00;
  return isHigh(at) ? isLow(at + 1) : isHigh(at - 1);
}
