/** What a model gets right and wrong on the dev set, for its person; it stays on the host's device, as the examples do. */

export interface ClassLine {
  readonly name: string;
  /** Of the answers that name it, the share that is right. */
  readonly precision: number;
  /** Of its examples, the share that is found. */
  readonly recall: number;
  readonly f1: number;
  /** Dev examples of it. */
  readonly examples: number;
}

/** A dev example whose answer is wrong. */
export interface Mistake {
  readonly text: string;
  readonly pair: string | null;
  readonly label: string;
  readonly answer: string;
  /** What the model gives to the right class; null where there is no such one. */
  readonly probability: number | null;
}

export interface DevReport {
  /** The adapter after so many rounds. */
  readonly round: number;
  readonly examples: number;
  /** Answers that are wrong; of a score, those that are not exactly right. */
  readonly wrong: number;
  /** Empty where the label is a score. */
  readonly classes: readonly ClassLine[];
  /** How often each label (row) got each answer (column); null where there are no classes, or too many to show. */
  readonly confusion: readonly (readonly number[])[] | null;
  /** The first of the wrong ones, those with the largest loss first. */
  readonly mistakes: readonly Mistake[];
}
