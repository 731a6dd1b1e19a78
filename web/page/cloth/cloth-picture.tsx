import { useId, useMemo, useRef } from 'preact/hooks';
import * as say from '../../words/watch/cloth.ts';
import { useShared, useWidth } from '../parts/hooks.ts';
import { ScrollFrame } from '../parts/scroll-frame.tsx';
import type { Cloth, Thread } from './cloth.ts';
import { LABELS, type Loom, loom } from './cloth-geometry.ts';
import { ThreadColumn } from './cloth-thread.tsx';
import { WEAVES } from './marks.ts';

const PITCH = 5;
/** Up to so many threads a cell fades in when it is woven; in a crowd something would fade all the time. */
const FADES = 12;

/** The picture of the allocation. `sentence` says the same in words for those who do not see it. */
export function ClothPicture({
  cloth: derived,
  sentence,
  name = say.clothPicture,
}: {
  cloth: Cloth;
  sentence: string;
  /** What sets it apart from another picture of the page. */
  name?: string;
}) {
  const cloth = useShared(derived);
  const whole = useRef<HTMLDivElement>(null);
  const width = useWidth(whole);
  const id = useId();
  const short = width < LABELS.shortBelow;
  const labels = short ? LABELS.short : LABELS.full;
  const shape = useShared(useMemo(() => loom(cloth, Math.max(0, width - labels)), [cloth, width, labels]));
  // All of the shape but the columns: the same while only weights change.
  const { columns, ...around } = shape;
  const frame = useShared(around);
  return (
    <div class={cloth.threads.length > FADES ? 'cloth cloth-crowd' : 'cloth'} ref={whole}>
      <RowLabels cloth={cloth} shape={shape} width={labels} short={short} />
      <ScrollFrame kind="cloth-frame" label={say.scrollsSidewaysWhenThere(name)}>
        {width > 0 && (
          <svg role="img" aria-labelledby={`${id}-t ${id}-d`} width={shape.width} height={shape.height}>
            <title id={`${id}-t`}>{say.whoTrainsWhichBlock}</title>
            <desc id={`${id}-d`}>{sentence}</desc>
            <defs>
              {cloth.threads.map((thread) => (
                <WeavePattern key={thread.device} id={`${id}-${thread.mark.letter}`} thread={thread} />
              ))}
            </defs>
            {shape.rowY.map((y, row) => (
              <line
                key={cloth.rows[row]!.depth}
                class={cloth.rows[row]!.bare ? 'weft weft-bare' : 'weft'}
                x1={0}
                x2={shape.width}
                y1={y + shape.cellHeight / 2}
                y2={y + shape.cellHeight / 2}
              />
            ))}
            {cloth.threads.map((thread, i) => (
              <ThreadColumn
                key={thread.device}
                thread={thread}
                column={columns[i]!}
                shape={frame}
                samples={cloth.samples}
                fill={`url(#${id}-${thread.mark.letter})`}
              />
            ))}
            <rect class="beam" x={0} y={shape.beamY} width={shape.width} height={6} rx={3} />
          </svg>
        )}
      </ScrollFrame>
    </div>
  );
}

function RowLabels({ cloth, shape, width, short }: { cloth: Cloth; shape: Loom; width: number; short: boolean }) {
  const middle = shape.cellHeight / 2 + 4;
  const right = width - 8;
  return (
    <svg class="cloth-labels" width={width} height={shape.height} aria-hidden="true">
      {short && (
        <>
          <text class="label-quiet" x={0} y={shape.beamY - 10}>
            {say.layer}
          </text>
          <text class="label-quiet" x={right} y={shape.beamY - 10} text-anchor="end">
            {say.depth}
          </text>
        </>
      )}
      <text class="label-quiet" x={right} y={shape.beamY + 8} text-anchor="end">
        {say.loss}
      </text>
      {cloth.rows.map((row, i) => (
        <g key={row.depth}>
          <text class={row.bare ? 'label-quiet' : 'label'} x={0} y={shape.rowY[i]! + middle}>
            {row.layer === null ? 'head' : short ? row.layer : say.layerWithLayer(row.layer)}
          </text>
          <text class="label-quiet" x={right} y={shape.rowY[i]! + middle} text-anchor="end">
            {short ? row.depth : say.depthWithDepth(row.depth)}
          </text>
        </g>
      ))}
      {shape.weightsHeight > 0 && (
        <>
          <text class="label" x={0} y={shape.weightsY + 14}>
            {say.seconds}
          </text>
          <text class="label" x={0} y={shape.weightsY + 29}>
            {say.aRound}
          </text>
        </>
      )}
    </svg>
  );
}

/** One repeat of a device's weave: warp floats in a pale shade of its yarn over weft floats in the yarn itself. */
function WeavePattern({ id, thread: { mark } }: { id: string; thread: Thread }) {
  return useMemo(() => weavePattern(id, mark), [id, mark]);
}

function weavePattern(id: string, mark: Thread['mark']) {
  const draft = WEAVES[mark.weave]!;
  const columns = draft[0]!.length;
  return (
    <pattern
      id={id}
      patternUnits="userSpaceOnUse"
      width={columns * PITCH}
      height={draft.length * PITCH}
      style={{ '--yarn': `var(--yarn-${mark.yarn})` }}
    >
      <rect class="float-ground" width={columns * PITCH} height={draft.length * PITCH} />
      {draft.flatMap((line, row) =>
        Array.from(line, (over, column) => (
          <rect
            key={`${row} ${column}`}
            class={over === '#' ? 'float-warp' : 'float-weft'}
            x={column * PITCH + (over === '#' ? 0.6 : 0)}
            y={row * PITCH + (over === '#' ? 0 : 0.6)}
            width={over === '#' ? PITCH - 1.2 : PITCH}
            height={over === '#' ? PITCH : PITCH - 1.2}
          />
        )),
      )}
    </pattern>
  );
}
