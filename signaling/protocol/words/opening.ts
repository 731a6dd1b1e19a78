/** What a host does before its session begins, in the order in which it does it, each step once; with what people read. */
export const OPENING_STEPS = [
  { stage: 'config', text: 'Reading the model’s configuration' },
  { stage: 'tokenizer', text: 'Reading the tokenizer' },
  { stage: 'data', text: 'Reading the data' },
  { stage: 'adapter', text: 'Setting up the adapter' },
] as const;

export type OpeningStage = (typeof OPENING_STEPS)[number]['stage'];
