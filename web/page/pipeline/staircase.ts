import { unitCount } from '../../../signaling/protocol/split.ts';
import type { Pipelines, StageColumn } from './pipeline.ts';

/** Pixels of the staircase; see `pipeline.ts`. */
export interface Staircase {
  readonly width: number;
  readonly height: number;
  /** Top of each unit's row; unit 0 is lowest. */
  readonly rowY: readonly number[];
  readonly rowHeight: number;
  readonly steps: readonly Step[];
  readonly footY: number;
  readonly named: boolean;
}

export interface Step {
  readonly x: number;
  readonly width: number;
  readonly top: number;
  readonly bottom: number;
  /** From this step to the next one of its pipeline: hidden states up, and the gradient down where there is one; null at the last. */
  readonly up: string | null;
  readonly down: string | null;
}

const HEADER = 62;
const FOOT = 64;
const GAP = 26;
const PIPELINE_GAP = 34;
const SIDE = 8;
const MIN_STEP = 54;
const MAX_STEP = 190;
const NAMED = 78;
const MANY_UNITS = 16;

export function staircase({ layers, stages }: Pipelines, available: number): Staircase {
  const units = unitCount(layers);
  const rowHeight = units > MANY_UNITS ? 17 : 28;
  const breaks = stages.filter((stage, i) => i > 0 && stage.pipeline !== stages[i - 1]!.pipeline).length;
  const gaps = Math.max(0, stages.length - 1) * GAP + breaks * (PIPELINE_GAP - GAP);
  const room = available - 2 * SIDE - gaps;
  const width = Math.min(MAX_STEP, Math.max(MIN_STEP, Math.floor(room / Math.max(1, stages.length))));
  const rowY = Array.from({ length: units }, (_, unit) => HEADER + (units - 1 - unit) * rowHeight);
  let x = SIDE + Math.max(0, Math.floor((room - width * stages.length) / 2));
  const places = stages.map((stage, i) => {
    if (i > 0) x += stage.pipeline === stages[i - 1]!.pipeline ? GAP : PIPELINE_GAP;
    const at = { x, top: rowY[stage.run.to - 1]!, bottom: rowY[stage.run.from]! + rowHeight };
    x += width;
    return at;
  });
  const steps = places.map((place, i): Step => ({ ...place, width, ...arrows(stages, places, i, width) }));
  return {
    width: Math.max(available, x + SIDE),
    height: HEADER + units * rowHeight + FOOT,
    rowY,
    rowHeight,
    steps,
    footY: HEADER + units * rowHeight + 8,
    named: width >= NAMED,
  };
}

/** Curves from the right of a step, near its top, to the bottom of the next one; the gradient's comes back below it. */
function arrows(
  stages: readonly StageColumn[],
  places: readonly { readonly x: number; readonly top: number; readonly bottom: number }[],
  i: number,
  width: number,
): Pick<Step, 'up' | 'down'> {
  const [here, next] = [places[i]!, places[i + 1]];
  if (next === undefined || stages[i + 1]!.pipeline !== stages[i]!.pipeline) return { up: null, down: null };
  const right = here.x + width;
  const upX = next.x + width * 0.3;
  const downX = next.x + width * 0.62;
  const y = here.top + 8;
  const low = Math.min(here.bottom - 4, here.top + 22);
  return {
    up: `M${right + 1} ${y}H${upX - 8}Q${upX} ${y} ${upX} ${y - 5}V${next.bottom + 2}`,
    down: stages[i]!.getsGradient
      ? `M${downX} ${next.bottom + 1}V${low - 8}Q${downX} ${low} ${downX - 8} ${low}H${right + 3}`
      : null,
  };
}
