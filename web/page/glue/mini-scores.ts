/** What roberta-mini reached on GLUE with the settings that its recipe has, or is nearest to: the runs of docs/learning.md, and no others. */
export interface MiniScore {
  readonly score: string;
  readonly rounds: number;
  /** What puts the number into its place. */
  readonly remark: string | null;
}

export const MEASURED_ON_MINI: Readonly<Record<string, MiniScore>> = {
  sst2: { score: 'accuracy 78.0', rounds: 1000, remark: null },
  mrpc: { score: 'F1 81.8', rounds: 300, remark: 'a constant answer has 81.2' },
  stsb: { score: 'Pearson 15.9', rounds: 600, remark: null },
  cola: { score: 'Matthews 0', rounds: 300, remark: 'a constant answer has as much' },
};
