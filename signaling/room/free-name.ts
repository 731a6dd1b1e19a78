import { MAX_NAME_LENGTH } from '../protocol/limits.ts';
import { comparableName } from '../protocol/text/plain-text.ts';

/** The name, or with the first number that makes it one of its own: sentences about a plan tell devices apart by name. */
export function freeName(name: string, others: readonly string[]): string {
  const taken = new Set(others.map(comparableName));
  let free = name;
  for (let count = 2; taken.has(comparableName(free)); count++)
    free = `${name.slice(0, MAX_NAME_LENGTH - `${count}`.length - 1).trimEnd()} ${count}`;
  return free;
}
