import { trainedLayers } from '../../../signaling/protocol/adapters.ts';
import type { RoomAssignment, RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Activity, DeviceView, RoomView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import { type Mark, markFor, type Seats } from './marks.ts';
import { type DeviceSeconds, measuredSeconds, recentRoundSeconds } from './timing.ts';

/**
 * The allocation as cloth on a loom: a warp thread for each device, a weft row for each block, the head on top next to the loss.
 * Row r is depth r: the head is row 0, the last layer row 1, the layer next to the embeddings row L.
 */
export interface Cloth {
  readonly rows: readonly ClothRow[];
  readonly threads: readonly Thread[];
  /** Samples in a round, D. */
  readonly samples: number;
}

export interface ClothRow {
  /** Layer index as Hugging Face counts; null for the head. */
  readonly layer: number | null;
  readonly depth: number;
  /** A layer without adapters: gradients pass through it on their way down, and nobody trains it. */
  readonly bare: boolean;
}

/** `woven`: the gradient is with the host (or no round runs). `next`: the device works on it. `open`: later in this round. */
export type CellState = 'woven' | 'next' | 'open';

export interface ClothCell {
  readonly row: number;
  readonly state: CellState;
  /** Beside the plan that it is compared with: another device has this block there, or other samples. */
  readonly moved?: true;
}

/**
 * What a thread does: works in this plan, stands by, is ready for a first plan, gets ready, rests because its person wants it to, has no
 * link to the host, lost its connection, or cannot go on.
 */
export type ThreadState = 'works' | 'spare' | 'ready' | 'preparing' | 'resting' | 'unlinked' | 'away' | 'failed';

export interface Thread {
  readonly device: string;
  readonly mark: Mark;
  readonly name: string;
  readonly self: boolean;
  readonly state: ThreadState;
  /** Top to bottom. Empty where the device has no work. */
  readonly cells: readonly ClothCell[];
  /** Rows from the top that the gradient travels through; 0 where nothing is trained. */
  readonly reachRows: number;
  /** Null where the device has no work. */
  readonly samples: { readonly start: number; readonly count: number } | null;
  /** Share of the widest thread, by samples; 1 where all are alike. */
  readonly width: number;
  /** Threads of one team share their samples and hang side by side; teams count from 0 in the order of their samples, spare devices last. */
  readonly team: number;
  readonly predicted: DeviceSeconds | null;
  readonly measured: DeviceSeconds | null;
  /** The plan says that this device limits the round. */
  readonly limits: boolean;
  /** The round is late, and waits for this device. */
  readonly late: boolean;
}

export const rowOfLayer = (layer: number, layers: number): number => layers - layer;

export interface ClothInput {
  readonly room: Pick<RoomView, 'settings' | 'phase' | 'devices' | 'plan'>;
  readonly self: string;
  readonly rounds: readonly RoundReport[];
  readonly activity: Activity | null;
  readonly seats: Seats;
  /** Devices that a late round waits for. */
  readonly late?: readonly string[];
  /** A plan that this one is compared with. */
  readonly against?: RoomPlan | null;
}

export function cloth({ room, self, rounds, activity, seats, late = [], against = null }: ClothInput): Cloth {
  const { plan } = room;
  const { layers } = room.settings.shape;
  const trained = trainedLayers(room.settings.lora, layers);
  const rows = Array.from({ length: layers + 1 }, (_, row) => ({
    layer: row === 0 ? null : layers - row,
    depth: row,
    bare: row > 0 && !trained.includes(layers - row),
  }));
  const running = room.phase === 'training' && !tooQuickToShow(rounds) ? activity : null;
  const teams = teamStarts(plan);
  const widest = Math.max(1, ...(plan?.assignments ?? []).map((assignment) => assignment.samples.count));

  const threads = room.devices
    .filter((device) => device.status.kind !== 'watching')
    .map((device): Thread => {
      const assignment = plan?.assignments.find((one) => one.device === device.id && hasWork(one)) ?? null;
      const cellRows = assignment === null ? [] : assignedRows(assignment, layers);
      return {
        device: device.id,
        mark: markFor(seats, device.id),
        name: device.name,
        self: device.id === self,
        state: threadState(device, plan !== null, assignment !== null),
        cells: withMoves(withStates(cellRows, running, device.id), device.id, against, layers),
        reachRows: (cellRows.at(-1) ?? -1) + 1,
        samples: assignment?.samples ?? null,
        width: assignment === null ? 0 : assignment.samples.count / widest,
        team: assignment === null ? teams.length : Math.max(0, teams.indexOf(assignment.samples.start)),
        predicted:
          assignment === null ? null : { compute: assignment.computeSeconds, upload: assignment.uploadSeconds },
        measured: assignment === null || plan === null ? null : measuredSeconds(rounds, plan.version, device.id),
        limits: assignment !== null && plan?.limitedBy === device.id,
        late: late.includes(device.id),
      };
    })
    .toSorted((a, b) => a.team - b.team);
  return { rows, threads, samples: room.settings.training.samplesPerRound };
}

/**
 * Rounds under half a second are drawn as finished cloth: cells that blink more than twice a second tell nobody anything, and more
 * than three flashes a second can harm (WCAG 2.3.1).
 */
export function tooQuickToShow(rounds: readonly RoundReport[]): boolean {
  const seconds = recentRoundSeconds(rounds, 5);
  return seconds !== null && seconds < 0.5;
}

/** Rows that a device trains, top to bottom. */
export function assignedRows(assignment: Pick<RoomAssignment, 'layers' | 'head'>, layers: number): readonly number[] {
  const rows = assignment.layers.map((layer) => rowOfLayer(layer, layers)).toSorted((a, b) => a - b);
  return assignment.head ? [0, ...rows] : rows;
}

export const hasWork = (assignment: RoomAssignment): boolean =>
  (assignment.head || assignment.layers.length > 0) && assignment.samples.count > 0;

/** First samples of the teams, ascending. Where nobody shares samples (data-parallel) there are no teams to set apart. */
function teamStarts(plan: RoomPlan | null): readonly number[] {
  const starts = (plan?.assignments ?? []).filter(hasWork).map((assignment) => assignment.samples.start);
  const teams = [...new Set(starts)];
  return teams.length === starts.length ? [] : teams.toSorted((a, b) => a - b);
}

/** Gradients come shallow blocks first, so the first cells are the ones that arrived. */
function withStates(rows: readonly number[], activity: Activity | null, device: string): readonly ClothCell[] {
  const entry = activity?.devices.find((one) => one.device === device);
  if (entry === undefined) return rows.map((row) => ({ row, state: 'woven' }));
  // A device that took over another's work in this round is asked for more blocks than its plan shows.
  const share = entry.expected === 0 ? 1 : entry.received / entry.expected;
  const arrived = Math.min(rows.length, Math.floor(share * rows.length + 1e-9));
  return rows.map((row, i) => ({ row, state: i < arrived ? 'woven' : i === arrived ? 'next' : 'open' }));
}

/** Marks blocks that the device did not have in the other plan. */
function withMoves(
  cells: readonly ClothCell[],
  device: string,
  against: RoomPlan | null,
  layers: number,
): readonly ClothCell[] {
  if (against === null) return cells;
  const other = against.assignments.find((one) => one.device === device && hasWork(one));
  const had = new Set(other === undefined ? [] : assignedRows(other, layers));
  return cells.map((cell) => (had.has(cell.row) ? cell : { ...cell, moved: true }));
}

function threadState(device: DeviceView, planned: boolean, works: boolean): ThreadState {
  if (device.status.kind === 'failed') return 'failed';
  if (!device.online && !device.linked) return 'away';
  if (device.status.kind === 'paused') return 'resting';
  if (works) return 'works';
  if (device.status.kind !== 'ready') return 'preparing';
  if (!device.linked) return 'unlinked';
  return planned ? 'spare' : 'ready';
}
