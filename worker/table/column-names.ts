import { TableError } from './bytes/table-error.ts';

/** More columns than that are no table of texts. */
export const MAX_COLUMNS = 2000;

export interface ColumnNames {
  readonly columns: readonly string[];
  /** Those that the file does not call so. */
  readonly renamed: readonly string[];
}

/** A name for every column, each once: one without a name is called by its place, the second "text" "text (2)". */
export function columnNames(header: readonly string[]): ColumnNames {
  if (header.length > MAX_COLUMNS)
    throw new TableError(`Its first row has ${header.length} cells; a table has ${MAX_COLUMNS} columns at most.`);
  const given = header.map((name) => name.trim());
  const taken = new Set(given);
  const seen = new Set<string>();
  const renamed: string[] = [];
  const columns = given.map((name, index) => {
    if (name !== '' && !seen.has(name)) {
      seen.add(name);
      return name;
    }
    const base = name === '' ? `column ${index + 1}` : name;
    let free = base;
    for (let copy = 2; seen.has(free) || (taken.has(free) && free !== name) || free === name; copy++)
      free = `${base} (${copy})`;
    seen.add(free);
    renamed.push(free);
    return free;
  });
  return { columns, renamed };
}
