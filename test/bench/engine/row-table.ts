import type { Row } from './turns.ts';

type Column = readonly [name: string, of: (row: Row, base: Row | undefined) => string];

const COLUMNS: readonly Column[] = [
  ['case', (row) => row.case],
  ['contender', (row) => row.contender],
  ['ms', (row) => row.medianMs.toFixed(row.medianMs < 100 ? 1 : 0)],
  ['of webgpu', (row, base) => (base === undefined ? '' : (row.medianMs / base.medianMs).toFixed(2))],
  ['CPU ms', (row) => row.cpuMs.toFixed(0)],
  ['of webgpu', (row, base) => (base === undefined ? '' : (row.cpuMs / base.cpuMs).toFixed(2))],
  ['first s', (row) => (row.firstMs / 1000).toFixed(1)],
  ['peak GPU MiB', (row) => row.peakGpuMiB?.toFixed(1) ?? ''],
  ['error', (row) => row.error.toExponential(1)],
  ['turns', (row) => String(row.turns)],
];

const WORK_COLUMNS: readonly Column[] = [
  ['case', (row) => row.case],
  ['contender', (row) => row.contender],
  ['dispatches', (row) => String(row.work?.dispatches ?? '')],
  ['workgroups', (row) => String(row.work?.workgroups ?? '')],
  ['submissions', (row) => String(row.work?.submissions ?? '')],
  ['MB bound', (row) => ((row.work?.boundBytes ?? 0) / 1e6).toFixed(1)],
  ['read back', (row) => String(row.work?.readsBack ?? '')],
];

/** Two tables in Markdown: times, and what a step asks of the GPU. */
export function tableOf(rows: readonly Row[]): string {
  const base = rows.find(({ contender }) => contender === 'webgpu');
  const onGpu = rows.filter(({ work }) => work !== null);
  return [table(COLUMNS, rows, base), ...(onGpu.length > 0 ? [table(WORK_COLUMNS, onGpu, base)] : [])].join('\n');
}

function table(columns: readonly Column[], rows: readonly Row[], base: Row | undefined): string {
  const lines = [
    columns.map(([name]) => name),
    columns.map(() => '---'),
    ...rows.map((row) => columns.map(([, of]) => of(row, base))),
  ];
  return lines.map((line) => `| ${line.join(' | ')} |\n`).join('');
}
