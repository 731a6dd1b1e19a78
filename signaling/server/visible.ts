/** A line of a log as one line: what would move the cursor, start another line or hide is written as its code point. */
export const visible = (line: string): string =>
  line.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
