/** One labelled text, or two; as raw as it came. It never leaves the host's device. */
export interface Example {
  readonly text: string;
  /** The second text of a pair; null in tasks of one text. */
  readonly pair: string | null;
  /** Class index, or the target value for regression; in a task of several labels a 0 or a 1 for each of them. */
  readonly label: number | readonly number[];
}

/** (B) or (B,labels): the labels of examples, one after the other. */
export const labelValues = (examples: readonly Example[]): Float32Array =>
  Float32Array.from(examples.flatMap(({ label }) => label));

export interface ExampleSplits {
  readonly train: readonly Example[];
  readonly dev: readonly Example[];
}

/** One number for all texts and labels in their order (FNV-1a, 32 bits): tells whether a later session has the same data. */
export function dataFingerprint({ train, dev }: ExampleSplits): number {
  let hash = 0x811c9dc5;
  const mix = (text: string) => {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    // Ends the text, so that moving a word from one to the next shows.
    hash = Math.imul(hash ^ 0x10000, 0x01000193);
  };
  for (const examples of [train, dev]) {
    for (const { text, pair, label } of examples) {
      mix(text);
      if (pair !== null) mix(pair);
      mix(String(label));
    }
    mix('');
  }
  return hash >>> 0;
}
