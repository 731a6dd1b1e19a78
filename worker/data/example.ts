/** One labelled text, or two; as raw as it came. It never leaves the host's device. */
export interface Example {
  readonly text: string;
  /** The second text of a pair; null in tasks of one text. */
  readonly pair: string | null;
  /** Class index, or the target value for regression. */
  readonly label: number;
}

export interface ExampleSplits {
  readonly train: readonly Example[];
  readonly dev: readonly Example[];
}
