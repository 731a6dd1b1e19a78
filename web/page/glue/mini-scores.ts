import * as say from '../../words/start/glue.ts';
/** What roberta-mini reached on GLUE with the settings that its recipe has, or is nearest to: the runs of docs/learning.md, and no others. */
export interface MiniScore {
  readonly score: string;
  readonly rounds: number;
  /** What puts the number into its place. */
  readonly remark: string | null;
}

export const MEASURED_ON_MINI: Readonly<Record<string, MiniScore>> = {
  sst2: { score: say.accuracy780, rounds: 1000, remark: null },
  mrpc: { score: 'F1 81.8', rounds: 300, remark: say.aConstantAnswerHas81 },
  stsb: { score: say.pearson159, rounds: 600, remark: null },
  cola: { score: say.matthews0, rounds: 300, remark: say.aConstantAnswerHas },
};
