/**
 * Several columns of 0 and 1, one for each label, named in the place of one label's column: "anger, joy, fear". Null where that is a
 * column itself, or not all of them are columns.
 */
export function labelColumns(columns: readonly string[], label: string): readonly string[] | null {
  if (columns.includes(label)) return null;
  const names = [
    ...new Set(
      label
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    ),
  ];
  return names.length >= 2 && names.every((name) => columns.includes(name)) ? names : null;
}

const ONES = ['1', 'true', 'yes'];
const ZEROS = ['0', 'false', 'no'];

/** A cell of such a column as 0 or 1, null for anything else; a number is the same however it is spelled. */
export function flagOf(cell: string): 0 | 1 | null {
  const text = cell.trim().toLowerCase();
  const number = /^\+?\d*\.?\d+(e[+-]?\d+)?$|^\d+\.$/.test(text) ? String(Number(text)) : text;
  if (ONES.includes(number)) return 1;
  return ZEROS.includes(number) ? 0 : null;
}
