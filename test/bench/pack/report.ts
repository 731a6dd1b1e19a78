import type { Row } from '../engine/turns.ts';
import type { GoldenResult } from './golden.ts';
import type { KernelTime } from './kernel-times.ts';
import type { Peaks } from './peaks.ts';

export interface KernelReport {
  readonly case: string;
  readonly contender: string;
  readonly kernels: readonly KernelTime[];
}

export interface PackReport {
  readonly made: {
    readonly node: string;
    readonly adapter: string;
    readonly isSoftware: boolean;
    readonly small: boolean;
  };
  readonly seconds: number;
  readonly golden: readonly GoldenResult[];
  readonly peaks: Peaks | null;
  readonly steps: readonly (Row & { readonly flops: number })[];
  readonly kernels: readonly KernelReport[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
  readonly ok: boolean;
}

const NONE = '';
const tera = (perSecond: number): string => (perSecond / 1e12).toPrecision(3);

/** All of it as one table a person can read: Markdown, a part after the other. */
export function reportTable({ made, golden, peaks, steps, kernels, notes, seconds }: PackReport): string {
  const lines = [`${made.adapter}${made.isSoftware ? ', a driver in software' : ''}; ${seconds.toFixed(0)} s`, ''];
  lines.push(
    ...table(
      ['golden file', 'engine', 'within limits', 'gradient off by', 'loss curve off by'],
      golden.map(({ file, engine, ok, gradient, lossCurve, problem }) => [
        ...[file, engine, ok ? 'yes' : `NO${problem === null ? '' : `: ${problem}`}`],
        ...[gradient.toExponential(1), lossCurve.toExponential(1)],
      ]),
    ),
  );
  if (peaks !== null)
    lines.push(
      ...table(
        ['peak of', 'measured'],
        [
          ['f32 multiply-adds', `${tera(peaks.f32FlopsPerSecond)} TFLOP/s`],
          ['f16 multiply-adds', peaks.f16FlopsPerSecond === null ? 'none' : `${tera(peaks.f16FlopsPerSecond)} TFLOP/s`],
          ['a copy', `${(peaks.copyBytesPerSecond / 1e9).toPrecision(3)} GB/s read and written`],
        ],
      ),
    );
  lines.push(
    ...table(
      [
        'case',
        'contender',
        'steps/s',
        'ms',
        'TFLOP/s',
        'dispatches',
        'submissions',
        'workgroups',
        'MB bound',
        'read back',
        'peak GPU MiB',
        'first s',
        'error',
      ],
      steps.map(({ work, ...row }) => [
        ...[row.case, row.contender, (1000 / row.medianMs).toPrecision(3), row.medianMs.toPrecision(3)],
        tera(row.flops / (row.medianMs / 1000)),
        ...(work === null
          ? [NONE, NONE, NONE, NONE, NONE]
          : [
              work.dispatches,
              work.submissions,
              work.workgroups,
              (work.boundBytes / 1e6).toFixed(0),
              work.readsBack,
            ].map(String)),
        ...[row.peakGpuMiB?.toFixed(0) ?? NONE, (row.firstMs / 1000).toFixed(1), row.error.toExponential(1)],
      ]),
    ),
  );
  for (const { case: name, contender, kernels: times } of kernels)
    lines.push(
      ...table(
        [
          `kernel of ${contender}, ${name}`,
          'dispatches',
          'ms',
          'TFLOP/s',
          'of the f32 peak',
          'MB bound',
          'GB/s of them',
        ],
        times.map(({ label, dispatches, ms, flops, boundBytes }) => {
          const rate = flops === null ? null : flops / (ms / 1000);
          return [
            ...[label, String(dispatches), ms.toPrecision(3), rate === null ? NONE : tera(rate)],
            rate === null || peaks === null ? NONE : `${((100 * rate) / peaks.f32FlopsPerSecond).toFixed(0)} %`,
            ...[(boundBytes / 1e6).toFixed(1), (boundBytes / 1e6 / ms).toPrecision(3)],
          ];
        }),
      ),
    );
  return [...lines, ...notes.map((note) => `- ${note}`), ''].join('\n');
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  rows.length === 0 ? [] : [...[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`), ''];
