import type { Policy } from '../settings.ts';

export interface PolicyWords {
  /** Where it stands alone: in a list, as a heading. */
  readonly label: string;
  /** How a sentence names it: "CRUNCH is quickest, 12 % below data-parallel training." */
  readonly inSentence: string;
}

/** What people read for a way of planning. */
export const POLICY_WORDS: Readonly<Record<Policy, PolicyWords>> = {
  auto: { label: 'Auto', inSentence: 'the automatic choice' },
  crunch: { label: 'CRUNCH', inSentence: 'CRUNCH' },
  lola: { label: 'LoLa', inSentence: 'LoLa' },
  exact: { label: 'Exact', inSentence: 'the exact one-block allocation' },
  teams: { label: 'Teams', inSentence: 'splitting into teams' },
  random: { label: 'Random', inSentence: 'the random allocation' },
  greedy: { label: 'Greedy', inSentence: 'the greedy allocation' },
  'depth-unaware': { label: 'Depth-unaware', inSentence: 'planning without depth' },
  'equal-bandwidth': { label: 'Equal bandwidth', inSentence: 'equal bandwidth' },
  single: { label: 'Single device', inSentence: 'a single device' },
  'data-parallel': { label: 'Data-parallel', inSentence: 'data-parallel training' },
  split: { label: 'Split model', inSentence: 'splitting the model' },
  offload: { label: 'Host alone', inSentence: 'the host alone' },
};
