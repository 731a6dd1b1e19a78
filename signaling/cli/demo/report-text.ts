import type { DevReport } from '../../../worker/api/report.ts';

/** Mistakes that a terminal shows. */
const SHOWN = 3;
const MAX_CHARACTERS = 100;

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;

/** Each class's precision, recall and F1, and the examples that the model is most wrong about, as lines. */
export function reportLines({ classes, mistakes }: DevReport): readonly string[] {
  const rows = [
    ['class', 'precision', 'recall', 'F1', 'examples'],
    ...classes.map(({ name, precision, recall, f1, examples }) => [
      name,
      share(precision),
      share(recall),
      share(f1),
      String(examples),
    ]),
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const table = rows.map((row) =>
    `    ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}`.trimEnd(),
  );
  const worst = mistakes.slice(0, SHOWN).map(({ text, pair, label, answer }) => {
    const shown = [text, ...(pair === null ? [] : [pair])].join(' / ').replace(/\s+/g, ' ').slice(0, MAX_CHARACTERS);
    return `    ${answer || 'none'}, not ${label || 'none'}: ${shown}`;
  });
  return [...(classes.length === 0 ? [] : table), ...(worst.length === 0 ? [] : ['  Most wrong about:', ...worst])];
}
