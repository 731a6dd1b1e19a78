/**
 * A file's own words inside our sentences: what would move a cursor, ring a bell or turn the text around is shown as its escape, so that
 * a cell's content can neither change a terminal nor pass for something else.
 */

/** Control and format characters, line separators and halves of a pair; joiners are left: words and emoji need them. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u00ad\u200c\u200d])\p{Cf}/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with every control character, invisible mark and lone surrogate as an escape. */
export function visible(text: string): string {
  return text.replace(
    UNSEEN,
    (character) => SHORT[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

/** The same for text of several lines: line breaks stay. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** Somebody else's words inside a sentence of ours: visible, and cut where they go on. */
export function brief(text: string, most = 160): string {
  // Half of a pair is not left behind. An escape takes up to six characters.
  const cut = (whole: string): string => whole.slice(0, most).replace(/[\ud800-\udbff]$/, '');
  const shown = text.length > most ? visible(cut(text)) : visible(text);
  return text.length > most || shown.length > most ? `${cut(shown)}…` : shown;
}

const MAX_QUOTED = 40;

/** A cell, a label or a name, short enough for a sentence, in quotes. */
export function quoted(text: string): string {
  const shown = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  return `"${visible(shown)}"`;
}

const MAX_LISTED = 12;

/** Names one after the other, the first dozen of them. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).map((name) => visible(name.length > 60 ? `${name.slice(0, 60)}…` : name));
  const more = names.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ') || 'none';
}
