import type { Policy } from './settings.ts';

/** How a sentence names a way of planning: "CRUNCH is quickest, 12 % below data-parallel training." */
export const POLICY_NAMES: Readonly<Record<Policy, string>> = {
  auto: 'the automatic choice',
  crunch: 'CRUNCH',
  lola: 'LoLa',
  exact: 'the exact one-block allocation',
  teams: 'splitting into teams',
  random: 'the random allocation',
  greedy: 'the greedy allocation',
  'depth-unaware': 'planning without depth',
  'equal-bandwidth': 'equal bandwidth',
  single: 'a single device',
  'data-parallel': 'data-parallel training',
  offload: 'the host alone',
};
