/** How lists and counts are said to people, on the page and on a terminal alike. */

/** "a", "a and b", "a, b and c". */
export function listText(items: readonly string[]): string {
  if (items.length < 2) return items[0] ?? '';
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** Ascending whole numbers with runs drawn together: [0, 2, 3, 4] is "0 and 2–4". */
export function rangesText(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const n of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === n - 1) last[1] = n;
    else runs.push([n, n]);
  }
  return listText(
    runs.flatMap(([a, b]) => (a === b ? [`${a}`] : b === a + 1 && runs.length > 1 ? [`${a}`, `${b}`] : [`${a}–${b}`])),
  );
}

/** What a device trains: "the head", "layer 3", "layers 4–5 and the head", "nothing". */
export function blocksText(layers: readonly number[], head: boolean): string {
  if (layers.length === 0) return head ? 'the head' : 'nothing';
  const named = `${layers.length === 1 ? 'layer' : 'layers'} ${rangesText(layers)}`;
  return head ? `${named}${named.includes(' and ') ? ', and the head' : ' and the head'}` : named;
}

export function countText(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
