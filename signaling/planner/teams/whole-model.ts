import { shareBandwidth } from '../problem/bandwidth.ts';
import { chainLoads, type Fleet, whyNoChain } from '../problem/fleet.ts';
import type { Refusal, Solution } from '../problem/load.ts';

/** Plans in which one device trains the whole model. */

type Found = Pick<Solution, 'loads' | 'hertz' | 'latencySeconds' | 'solver'>;

function alone(fleet: Fleet, device: number, solver: string): Found {
  const loads = chainLoads(fleet, [{ device, from: -1, to: fleet.blocks }], { start: 0, count: fleet.samples });
  return { loads, ...shareBandwidth(fleet.law, loads, fleet.bandwidthHz), solver };
}

/** The host trains alone. */
export function offload(fleet: Fleet): Found | Refusal {
  const solver = 'the host alone';
  const { id } = fleet.devices[fleet.host]!;
  const held = fleet.deepestHeld[fleet.host]!;
  if (held < fleet.blocks) {
    return {
      reason: `the host "${id}" can not hold depth ${fleet.depthOf[Math.max(held + 1, 1)]}; choose a policy that shares`,
      solver,
    };
  }
  const found = alone(fleet, fleet.host, solver);
  return Number.isFinite(found.latencySeconds)
    ? found
    : { reason: `the link of the host "${id}" carries nothing`, solver };
}

/** The best device trains alone. */
export function single(fleet: Fleet): Found | Refusal {
  const solver = 'best single device';
  let best: Found | null = null;
  for (let device = 0; device < fleet.devices.length; device++) {
    if (fleet.deepestHeld[device]! < fleet.blocks) continue;
    const found = alone(fleet, device, solver);
    if (found.latencySeconds < (best?.latencySeconds ?? Infinity)) best = found;
  }
  return best ?? { reason: whyNoChain(fleet), solver };
}
