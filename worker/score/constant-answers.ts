import type { Task } from '../data/tasks.ts';

/**
 * Constant answers to all examples, among which the best is for every metric that a task may have. One class: the most frequent one, and
 * class 1 for its F1. A number: any, since no correlation is a constant's. Several labels: the most frequent set of labels for whole rows;
 * the labels that are frequent enough for micro F1, which are the first of them by frequency; and all of them for macro F1.
 */
export function constantAnswers(
  { kind, labelCount }: Pick<Task, 'kind' | 'labelCount'>,
  labels: Float32Array,
): readonly Float32Array[] {
  switch (kind) {
    case 'regression':
      return [new Float32Array(labels.length)];
    case 'classification': {
      const counts = new Float64Array(labelCount);
      for (const label of labels) counts[label]! += 1;
      const most = counts.indexOf(Math.max(...counts));
      return [most, ...(labelCount === 2 ? [1] : [])].map((label) => new Float32Array(labels.length).fill(label));
    }
    case 'multi-label':
      return severalLabels(labels, labelCount);
  }
}

function severalLabels(labels: Float32Array, labelCount: number): readonly Float32Array[] {
  const rows = labels.length / labelCount;
  const counts = new Float64Array(labelCount);
  const sets = new Map<string, number>();
  for (let row = 0; row < rows; row++) {
    const set = labels.subarray(row * labelCount, (row + 1) * labelCount);
    set.forEach((value, label) => {
      counts[label]! += value;
    });
    const key = set.join('');
    sets.set(key, (sets.get(key) ?? 0) + 1);
  }
  const [common = ''] = [...sets].reduce((best, one) => (one[1] > best[1] ? one : best), ['', 0] as [string, number]);
  const answer = (has: (label: number) => boolean) =>
    Float32Array.from({ length: labels.length }, (_, i) => Number(has(i % labelCount)));
  return [answer((label) => common[label] === '1'), answer(() => true), answer(mostF1(counts, rows))];
}

/** 2 right / (answered + there): with the labels by frequency, the prefix of which it is largest. */
function mostF1(counts: Float64Array, rows: number): (label: number) => boolean {
  const there = counts.reduce((a, b) => a + b, 0);
  const order = [...counts.keys()].sort((a, b) => counts[b]! - counts[a]!);
  let [right, best, kept] = [0, -1, 0];
  for (const [i, label] of order.entries()) {
    right += counts[label]!;
    const f1 = (2 * right) / ((i + 1) * rows + there);
    if (f1 > best) [best, kept] = [f1, i + 1];
  }
  const chosen = new Set(order.slice(0, kept));
  return (label) => chosen.has(label);
}
