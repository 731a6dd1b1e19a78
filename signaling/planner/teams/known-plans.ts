import type { Fleet } from '../problem/fleet.ts';
import { dataParallel } from './data-parallel.ts';
import { fastestGroups, type GroupedPlan } from './grouped.ts';
import type { TeamPlan } from './team-plan.ts';

/** Plans that several policies ask for, worked out once. */
export interface KnownPlans {
  readonly groups: () => GroupedPlan | null;
  readonly parallel: () => TeamPlan | null;
}

export function knownPlans(fleet: Fleet): KnownPlans {
  let groups: GroupedPlan | null | undefined;
  let parallel: TeamPlan | null | undefined;
  return {
    groups() {
      if (groups === undefined) groups = fastestGroups(fleet);
      return groups;
    },
    parallel() {
      if (parallel === undefined) parallel = dataParallel(fleet);
      return parallel;
    },
  };
}
