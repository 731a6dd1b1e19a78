import loadHighs from 'highs';
import { shareBandwidth } from '../../signaling/planner/problem/bandwidth.ts';
import { chainLoads, type Fleet } from '../../signaling/planner/problem/fleet.ts';
import { blockRunOf, fleetRunTable } from '../../signaling/planner/problem/run-costs.ts';

/** One choice of the integer program: a device carries so many samples and sends a run of blocks. */
interface Choice {
  readonly name: string;
  readonly device: number;
  readonly samples: number;
  readonly from: number;
  readonly to: number;
  /** Part of the whole bandwidth. */
  readonly share: number;
}

/**
 * The best team plan by integer programming, for the linear channels. At a latency T: choose at most one run per device so that, for
 * every sample count n, each block is covered by as many devices as there are teams with n samples (m_n; equal covers decompose
 * into chains), sum n m_n = D, at the least bandwidth. Below the whole, the plan's own latency is the next T.
 */
export async function teamsByIntegerProgram(fleet: Fleet, startSeconds: number): Promise<number> {
  const highs = await loadHighs();
  let best = startSeconds;
  for (;;) {
    const choices = choicesBefore(fleet, best);
    const result = highs.solve(modelOf(fleet, choices), { mip_rel_gap: 1e-9 });
    if (result.Status !== 'Optimal' || result.ObjectiveValue >= 1) return best;
    const chosen = choices.filter(({ name }) => (result.Columns[name]?.Primal ?? 0) > 0.5);
    const loads = chosen.flatMap((choice) =>
      chainLoads(fleet, [blockRunOf(choice)], { start: 0, count: choice.samples }),
    );
    const { latencySeconds } = shareBandwidth(fleet.law, loads, fleet.bandwidthHz);
    if (!(latencySeconds < best * (1 - 1e-7))) return best;
    best = latencySeconds;
  }
}

function choicesBefore(fleet: Fleet, limitSeconds: number): Choice[] {
  const choices: Choice[] = [];
  const side = fleet.layers + 2;
  for (let device = 0; device < fleet.devices.length; device++) {
    for (let samples = 1; samples <= fleet.samples; samples++) {
      const table = fleetRunTable(fleet, device, samples, limitSeconds, true);
      for (let from = 0; from < side - 1; from++) {
        for (let to = from + 1; to < side; to++) {
          const share = table[from * side + to]! / fleet.bandwidthHz;
          if (share < 1)
            choices.push({ name: `x_${device}_${samples}_${from}_${to}`, device, samples, from, to, share });
        }
      }
    }
  }
  return choices;
}

function modelOf(fleet: Fleet, choices: readonly Choice[]): string {
  const counts = Array.from({ length: fleet.samples }, (_, i) => i + 1);
  const sum = (some: readonly Choice[]) => some.map(({ name }) => name).join(' + ');
  const lines = [
    'Minimize',
    ` hertz: ${choices.map(({ share, name }) => `${share} ${name}`).join(' + ')}`,
    'Subject To',
  ];
  for (const n of counts) {
    for (let block = 0; block <= fleet.layers; block++) {
      const covering = choices.filter(({ samples, from, to }) => samples === n && from <= block && block < to);
      lines.push(` cover_${n}_${block}: ${covering.length > 0 ? `${sum(covering)} - ` : '- '}m_${n} = 0`);
    }
  }
  for (let k = 0; k < fleet.devices.length; k++) {
    const own = choices.filter(({ device }) => device === k);
    if (own.length > 0) lines.push(` once_${k}: ${sum(own)} <= 1`);
  }
  lines.push(` samples: ${counts.map((n) => `${n} m_${n}`).join(' + ')} = ${fleet.samples}`);
  lines.push('Binary', ...choices.map(({ name }) => ` ${name}`), 'General', ...counts.map((n) => ` m_${n}`), 'End');
  return lines.join('\n');
}
