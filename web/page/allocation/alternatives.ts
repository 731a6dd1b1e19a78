import type { Alternative, RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Policy } from '../../../signaling/protocol/settings.ts';
import { capitalised } from '../../../signaling/protocol/words/lists.ts';
import { POLICY_WORDS } from '../../../signaling/protocol/words/policies.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import * as say from '../../words/watch/allocation.ts';

/** One way of sharing the work, as it compares with the others. */
export interface AlternativeBar {
  readonly policy: Policy;
  readonly label: string;
  /** Null where it cannot be: then `reason` says why. */
  readonly seconds: number | null;
  readonly reason: string | null;
  /** Of the slowest that is drawn, 0 to 1. */
  readonly share: number;
  /** The plan is of this policy. */
  readonly used: boolean;
}

/** The quickest first, those that cannot be last. Empty where nothing was compared. */
export function alternativeBars(plan: Pick<RoomPlan, 'alternatives' | 'policy'> | null): readonly AlternativeBar[] {
  const all = plan?.alternatives ?? [];
  if (plan === null || all.length < 2) return [];
  const slowest = Math.max(0, ...all.map((one) => secondsOf(one) ?? 0));
  return all
    .map((one): AlternativeBar => {
      const seconds = secondsOf(one);
      return {
        policy: one.policy,
        label: POLICY_WORDS[one.policy].label,
        seconds,
        reason: 'reason' in one ? one.reason : null,
        share: seconds === null || slowest === 0 ? 0 : seconds / slowest,
        used: one.policy === plan.policy,
      };
    })
    .toSorted((a, b) => (a.seconds ?? Infinity) - (b.seconds ?? Infinity));
}

const secondsOf = (one: Alternative): number | null => ('seconds' in one ? one.seconds : null);

/** Ways of sharing work that a person tells apart, each as what is done and as how it would be. */
const WAYS: Readonly<Record<'samples' | 'depth' | 'teams' | 'model' | 'alone', readonly [string, string]>> = {
  samples: [say.splittingTheSamples, say.withTheSamplesSplit],
  depth: [say.sharingTheLayersByDepth, say.byLayers],
  teams: [say.splittingIntoTeams, say.inTeams],
  model: [say.splittingTheModel, say.withTheModelSplit],
  alone: [say.leavingItToOneDevice, say.onOneDevice],
};

const WAY_OF: Readonly<Record<Policy, keyof typeof WAYS>> = {
  auto: 'teams',
  crunch: 'depth',
  lola: 'depth',
  exact: 'depth',
  teams: 'teams',
  random: 'depth',
  greedy: 'depth',
  'depth-unaware': 'depth',
  'equal-bandwidth': 'depth',
  single: 'alone',
  'data-parallel': 'samples',
  split: 'model',
  offload: 'alone',
};

/** "Splitting the samples is quickest here: 0.66 s a round; by layers it would be 1.4 s."; null where nothing was compared. */
export function quickestSentence(plan: Pick<RoomPlan, 'alternatives' | 'policy' | 'latencySeconds'>): string | null {
  const bars = alternativeBars(plan);
  if (bars.length === 0) return null;
  const way = WAY_OF[plan.policy];
  const [what] = WAYS[way];
  const rival = bars.find(({ policy, seconds }) => seconds !== null && WAY_OF[policy] !== way);
  if (rival?.seconds == null) {
    const cannot = bars.find(({ policy, reason }) => reason !== null && WAY_OF[policy] !== way);
    const why = cannot?.reason == null ? '' : say.cannotBe(WAYS[WAY_OF[cannot.policy]][0], lowered(cannot.reason));
    return say.isWhatWorksHere(
      capitalised(what),
      secondsText(plan.latencySeconds),
      why === '' ? '' : ` ${capitalised(why.trim())}`,
    );
  }
  const [, how] = WAYS[WAY_OF[rival.policy]];
  const head = `${capitalised(what)} ${plan.latencySeconds <= rival.seconds ? say.isQuickestHere : say.isWhatIsUsed}`;
  return say.aRoundItWould(head, secondsText(plan.latencySeconds), how, secondsText(rival.seconds));
}

const lowered = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
