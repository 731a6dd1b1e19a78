import { useMemo } from 'preact/hooks';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import * as say from '../../words/watch/cloth.ts';
import { useShared } from '../parts/hooks.ts';
import type { CellState, Thread, ThreadState } from './cloth.ts';
import type { Column, Loom } from './cloth-geometry.ts';
import { totalSeconds } from './timing.ts';

type Frame = Omit<Loom, 'columns'>;
/** All of a thread but how far it is in this round. */
type Still = Omit<Thread, 'cells'>;

interface ColumnProps {
  readonly thread: Thread;
  readonly column: Column;
  readonly shape: Frame;
  /** Of a round, D. */
  readonly samples: number;
  readonly fill: string;
}

/** One device: its letter and name, its warp yarns, what it weaves, and the weight at their end. */
export function ThreadColumn({ thread, column, shape, samples, fill }: ColumnProps) {
  // The same nodes while the same is to be seen: those of the others are not even looked at. What a report of progress changes are cells.
  const { cells, ...still } = thread;
  const around = useShared(still);
  const above = useMemo(() => drawnAbove({ thread: around, column, shape, samples }), [around, column, shape, samples]);
  const weight = useMemo(() => <Weight thread={around} column={column} shape={shape} />, [around, column, shape]);
  return useMemo(
    () => (
      <g
        class={`thread thread-${thread.state}${thread.self ? ' thread-self' : ''}${thread.late ? ' thread-late' : ''}`}
        style={{ '--yarn': `var(--yarn-${thread.mark.yarn})` }}
      >
        {above}
        {cells.map((cell) => (
          <Cell
            key={cell.row}
            state={cell.state}
            moved={cell.moved === true}
            x={column.threadX}
            y={shape.rowY[cell.row]!}
            width={column.threadWidth}
            height={shape.cellHeight}
            fill={fill}
          />
        ))}
        {weight}
      </g>
    ),
    [cells, above, weight, fill],
  );
}

function drawnAbove({ thread, column, shape, samples }: { thread: Still } & Omit<ColumnProps, 'thread' | 'fill'>) {
  const top = shape.beamY + 3;
  const reach = thread.reachRows === 0 ? top : shape.rowY[thread.reachRows - 1]! + shape.cellHeight;
  const end = thread.state === 'failed' || thread.state === 'away' ? shape.rowY[1]! : shape.clothBottom;
  return (
    <>
      <title>{`${thread.name}: ${thread.late ? say.theRoundWaits : STATE_WORDS[thread.state]}`}</title>
      {thread.late && (
        <rect class="late-ground" x={column.x + 2} y={0} width={column.width - 4} height={shape.clothBottom} rx={6} />
      )}
      <Header thread={thread} column={column} shape={shape} samples={samples} />
      <path class="warp" d={yarnPath(column, thread.reachRows > 0 ? reach : top, Math.max(end, reach))} />
      {thread.reachRows > 0 && <path class="warp-gradient" d={yarnPath(column, top, reach)} />}
      {thread.reachRows > 0 && (
        <path class="knots" d={column.yarns.map((x) => `M${round(x)} ${reach + 3}h0`).join('')} />
      )}
    </>
  );
}

interface CellProps {
  readonly state: CellState;
  readonly moved: boolean;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly fill: string;
}

function Cell({ state, moved, x, y, width, height, fill }: CellProps) {
  return useMemo(
    () => (
      <g class={`cell cell-${state}${moved ? ' cell-moved' : ''}`}>
        <rect class="cell-ground" x={x} y={y} width={width} height={height} rx={2} />
        <rect class="cell-cloth" x={x} y={y} width={width} height={height} rx={2} fill={fill} />
        {state === 'next' && <Shuttle x={x + width / 2} y={y + height / 2} width={Math.min(26, width - 4)} />}
      </g>
    ),
    [state, moved, x, y, width, height, fill],
  );
}

const STATE_WORDS: Readonly<Record<ThreadState, string>> = {
  works: say.trainsInThisPlan,
  spare: say.standsBy,
  ready: 'ready',
  preparing: say.getsReady,
  resting: say.pausedByItsPerson,
  unlinked: say.noDataLink,
  away: say.connectionLost,
  failed: say.cannotGo,
};
/** Narrower columns take the short note. */
const WIDE_NOTE = 84;

/** The same beneath a name, and for narrow columns beneath the letter. */
const NOTES: Readonly<Record<ThreadState, readonly [wide: string, narrow: string]>> = {
  works: ['', ''],
  spare: [say.standsBy, 'spare'],
  ready: ['ready', 'ready'],
  preparing: [say.gettingReady, '…'],
  resting: ['paused', 'paused'],
  unlinked: [say.noLink, say.noLink],
  away: ['away', 'away'],
  failed: ['failed', 'failed'],
};

function Header({ thread, column, shape, samples }: { thread: Still; column: Column; shape: Frame; samples: number }) {
  const { middle } = column;
  const [wide, narrow] = NOTES[thread.state];
  const part = thread.samples !== null && thread.samples.count < samples ? thread.samples.count : null;
  const note =
    (column.width < WIDE_NOTE ? narrow : wide) ||
    (part !== null ? say.ofWord(part, samples) : thread.self ? 'you' : '');
  return (
    <>
      <rect class="swatch" x={middle - 12} y={2} width={24} height={22} rx={5} />
      <text class="swatch-letter" x={middle} y={18} text-anchor="middle">
        {thread.mark.letter}
      </text>
      {shape.named ? (
        <>
          <text class={thread.self ? 'name name-self' : 'name'} x={middle} y={40} text-anchor="middle">
            {fitted(thread.name, column.width)}
          </text>
          <text class="label-quiet" x={middle} y={55} text-anchor="middle">
            {note}
          </text>
        </>
      ) : (
        <text class="tiny" x={middle} y={37} text-anchor="middle">
          {narrow || (part ?? (thread.self ? 'you' : ''))}
        </text>
      )}
    </>
  );
}

/** A weaver's shuttle in the cell whose gradient comes next. */
function Shuttle({ x, y, width }: { x: number; y: number; width: number }) {
  const half = width / 2;
  return (
    <path
      class="shuttle"
      d={`M${x - half} ${y}q${half} ${-half * 0.75} ${width} 0q${-half} ${half * 0.75} ${-width} 0z`}
    />
  );
}

function Weight({ thread, column, shape }: { thread: Still; column: Column; shape: Frame }) {
  const { weight, middle, yarns, width } = column;
  if (weight === null || thread.state === 'failed' || thread.state === 'away') return null;
  const y = shape.weightsY;
  const half = Math.max(5, Math.min(14, width * 0.18));
  const shown = thread.measured ?? thread.predicted;
  const bottom = y + Math.max(weight.compute + weight.upload, weight.predicted);
  return (
    <g class={thread.limits ? 'weight weight-limits' : 'weight'}>
      <path class="warp" d={yarns.map((x) => `M${round(x)} ${shape.clothBottom}L${round(middle)} ${y}`).join('')} />
      <rect
        class={thread.measured === null ? 'weight-compute weight-guess' : 'weight-compute'}
        x={middle - half}
        y={y}
        width={2 * half}
        height={weight.compute}
        rx={2}
      />
      <rect
        class="weight-upload"
        x={middle - half + 0.75}
        y={y + weight.compute}
        width={2 * half - 1.5}
        height={weight.upload}
      />
      {thread.measured !== null && (
        <line
          class="weight-predicted"
          x1={middle - half - 5}
          x2={middle + half + 5}
          y1={y + weight.predicted}
          y2={y + weight.predicted}
        />
      )}
      {shown !== null && width >= 46 && (
        <text class="weight-text" x={middle} y={bottom + 15} text-anchor="middle">
          {secondsText(totalSeconds(shown))}
        </text>
      )}
      {width < 46 && thread.limits && (
        <text class="weight-text" x={middle} y={bottom + 14} text-anchor="middle">
          ▲
        </text>
      )}
    </g>
  );
}

function yarnPath(column: Column, from: number, to: number): string {
  return column.yarns.map((x) => `M${round(x)} ${from}V${to}`).join('');
}

function fitted(name: string, width: number): string {
  const characters = Math.floor((width - 6) / 7.2);
  return name.length <= characters ? name : `${name.slice(0, Math.max(1, characters - 1)).trimEnd()}…`;
}

const round = (x: number): number => Math.round(x * 10) / 10;
