/** What a device may say in place of what it computed; `lying-device.ts` does it. */
export const LIES = [
  'scaled by 1.05',
  'sign flipped',
  'zeroed',
  'noise of a tenth',
  'other samples',
  'flipped labels',
  'old parameters',
  'false loss',
  /** Of examples that it evaluates. */
  'false scores',
  // Of a stage of a split room:
  'false hidden states',
  'false gradients down',
  /** Both, so that every stage has something to lie about. */
  'false cuts',
] as const;
export type LieName = (typeof LIES)[number];
