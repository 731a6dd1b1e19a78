import type { Cloth, Thread } from './cloth.ts';
import { totalSeconds } from './timing.ts';

/** Pixels of the loom. Threads hang from the beam at the top, cross the rows, and end in weights: the slower a device, the longer its weight. */
export interface Loom {
  readonly width: number;
  readonly height: number;
  readonly columns: readonly Column[];
  readonly beamY: number;
  readonly rowHeight: number;
  /** Top of each row's cells. */
  readonly rowY: readonly number[];
  readonly cellHeight: number;
  /** Lower end of the last row. */
  readonly clothBottom: number;
  readonly weightsY: number;
  readonly weightsHeight: number;
  /** Names stand under the letters only where they fit. */
  readonly named: boolean;
}

export interface Column {
  readonly device: string;
  readonly x: number;
  readonly width: number;
  readonly middle: number;
  /** Left end and width of the thread, narrower for fewer samples. */
  readonly threadX: number;
  readonly threadWidth: number;
  /** Middles of the single warp yarns. */
  readonly yarns: readonly number[];
  /** Heights in pixels of the hanging weight: compute above, upload below; predicted as a mark. */
  readonly weight: { readonly compute: number; readonly upload: number; readonly predicted: number } | null;
}

const HEADER = { named: 66, short: 44 };
const BEAM = 6;
const ROW_GAP = 4;
const MIN_COLUMN = 30;
const MAX_COLUMN = 420;
const NAMED_COLUMN = 54;
const TEAM_GAP = 18;
const SIDE = 8;
const YARN_PITCH = 6;
const TIE = 18;
const WEIGHT_MIN = 6;
const WEIGHT_RANGE = 48;
const WEIGHT_TEXT = 22;

/** Width of the row labels: in full where there is room, else numbers under two headings. */
export const LABELS = { full: 116, short: 84, shortBelow: 560 } as const;

/** Lays the cloth out in `available` pixels; wider where the threads need it, and then the picture scrolls in its own frame. */
export function loom(cloth: Cloth, available: number): Loom {
  const gaps = cloth.threads.filter((thread, i) => i > 0 && thread.team !== cloth.threads[i - 1]!.team).length;
  const room = available - 2 * SIDE - gaps * TEAM_GAP;
  const columnWidth = Math.min(MAX_COLUMN, Math.max(MIN_COLUMN, Math.floor(room / Math.max(1, cloth.threads.length))));
  const named = columnWidth >= NAMED_COLUMN;
  const rowHeight = cloth.rows.length > 14 ? 26 : 36;
  const beamY = named ? HEADER.named : HEADER.short;
  const rowsY = beamY + BEAM + 10;
  const clothBottom = rowsY + cloth.rows.length * rowHeight;
  const slowest = Math.max(
    0,
    ...cloth.threads.flatMap((t) => [t.predicted, t.measured]).map((s) => (s === null ? 0 : totalSeconds(s))),
  );
  // Few devices in a wide frame: the cloth hangs in the middle of the beam.
  let x = SIDE + Math.max(0, Math.floor((room - columnWidth * cloth.threads.length) / 2));
  const columns = cloth.threads.map((thread, i): Column => {
    if (i > 0 && thread.team !== cloth.threads[i - 1]!.team) x += TEAM_GAP;
    const column = columnOf(thread, x, columnWidth, slowest);
    x += columnWidth;
    return column;
  });
  const weightsY = clothBottom + TIE;
  const weightsHeight = slowest === 0 ? 0 : WEIGHT_MIN + WEIGHT_RANGE + WEIGHT_TEXT;
  return {
    width: Math.max(available, x + SIDE),
    height: weightsY + weightsHeight,
    columns,
    beamY,
    rowHeight,
    rowY: cloth.rows.map((_, row) => rowsY + row * rowHeight + ROW_GAP / 2),
    cellHeight: rowHeight - ROW_GAP,
    clothBottom,
    weightsY,
    weightsHeight,
    named,
  };
}

function columnOf(thread: Thread, x: number, width: number, slowest: number): Column {
  const full = Math.max(16, Math.round(width * 0.84));
  const threadWidth =
    thread.width === 0 ? Math.min(full, 3 * YARN_PITCH) : Math.max(12, Math.round(full * thread.width));
  const threadX = x + Math.round((width - threadWidth) / 2);
  const count = Math.max(2, Math.round(threadWidth / YARN_PITCH));
  const pitch = threadWidth / count;
  return {
    device: thread.device,
    x,
    width,
    middle: x + width / 2,
    threadX,
    threadWidth,
    yarns: Array.from({ length: count }, (_, i) => threadX + pitch * (i + 0.5)),
    weight: weightOf(thread, slowest),
  };
}

function weightOf({ predicted, measured }: Thread, slowest: number): Column['weight'] {
  const shown = measured ?? predicted;
  if (shown === null || predicted === null || slowest === 0) return null;
  const pixels = (seconds: number) => (WEIGHT_RANGE * seconds) / slowest;
  return {
    compute: WEIGHT_MIN + pixels(shown.compute),
    upload: pixels(shown.upload),
    predicted: WEIGHT_MIN + pixels(totalSeconds(predicted)),
  };
}
