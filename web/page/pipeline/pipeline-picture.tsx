import { useId, useMemo, useRef } from 'preact/hooks';
import { unitCount } from '../../../signaling/protocol/split.ts';
import { percentText } from '../../../signaling/protocol/words/quantities.ts';
import { runShort, runText } from '../../../signaling/protocol/words/units.ts';
import * as say from '../../words/watch/pipeline.ts';
import { useWidth } from '../parts/hooks.ts';
import { ScrollFrame } from '../parts/scroll-frame.tsx';
import type { Pipelines, StageColumn } from './pipeline.ts';
import { memoryText, pipelineSentence, stateText } from './pipeline-words.ts';
import { type Staircase, type Step, staircase } from './staircase.ts';

const LABELS = 92;

/** The picture of a split model; `running` while rounds go through it. */
export function PipelinePicture({ shown, running }: { shown: Pipelines; running: boolean }) {
  const whole = useRef<HTMLDivElement>(null);
  const width = useWidth(whole);
  const id = useId();
  const shape = useMemo(() => staircase(shown, Math.max(0, width - LABELS)), [shown, width]);
  return (
    <div class={running ? 'cloth pipeline pipeline-running' : 'cloth pipeline'} ref={whole}>
      <UnitLabels shown={shown} shape={shape} />
      <ScrollFrame kind="cloth-frame" label={say.stagesOfTheModelScrolls}>
        {width > 0 && (
          <svg role="img" aria-labelledby={`${id}-t ${id}-d`} width={shape.width} height={shape.height}>
            <title id={`${id}-t`}>{say.whichDeviceHasWhichPart}</title>
            <desc id={`${id}-d`}>{pipelineSentence(shown)}</desc>
            <defs>
              <marker
                id={`${id}-up`}
                viewBox="0 0 8 8"
                refX={6}
                refY={4}
                markerWidth={7}
                markerHeight={7}
                orient="auto"
              >
                <path class="arrow-up-head" d="M0 0L8 4L0 8z" />
              </marker>
              <marker
                id={`${id}-down`}
                viewBox="0 0 8 8"
                refX={6}
                refY={4}
                markerWidth={7}
                markerHeight={7}
                orient="auto"
              >
                <path class="arrow-down-head" d="M1 1L7 4L1 7" />
              </marker>
            </defs>
            {shape.rowY.map((y, unit) => (
              <line
                key={unit}
                class="weft"
                x1={0}
                x2={shape.width}
                y1={y + shape.rowHeight / 2}
                y2={y + shape.rowHeight / 2}
              />
            ))}
            {shown.stages.map((stage, i) => (
              <StageStep key={stage.device} stage={stage} step={shape.steps[i]!} shape={shape} layers={shown.layers} />
            ))}
            {shape.steps.map((step, i) => (
              <g key={shown.stages[i]!.device}>
                {step.up !== null && <path class="arrow-up" d={step.up} marker-end={`url(#${id}-up)`} />}
                {step.down !== null && <path class="arrow-down" d={step.down} marker-end={`url(#${id}-down)`} />}
              </g>
            ))}
          </svg>
        )}
      </ScrollFrame>
    </div>
  );
}

function UnitLabels({ shown, shape }: { shown: Pipelines; shape: Staircase }) {
  const head = unitCount(shown.layers) - 1;
  return (
    <svg class="cloth-labels" width={LABELS} height={shape.height} aria-hidden="true">
      <text class="label-quiet" x={LABELS - 8} y={shape.rowY[head]! - 6} text-anchor="end">
        {say.loss}
      </text>
      {shape.rowY.map((y, unit) => (
        <text key={unit} class={unit >= shown.lowest ? 'label' : 'label-quiet'} x={0} y={y + shape.rowHeight / 2 + 4}>
          {unit === 0 ? 'embeddings' : unit === head ? 'head' : say.layer(unit - 1)}
        </text>
      ))}
      <text class="label" x={0} y={shape.footY + 14}>
        {say.memory}
      </text>
      <text class="label" x={0} y={shape.footY + 42}>
        {say.atWork}
      </text>
    </svg>
  );
}

function StageStep({
  stage,
  step,
  shape,
  layers,
}: {
  stage: StageColumn;
  step: Step;
  shape: Staircase;
  layers: number;
}) {
  const middle = step.x + step.width / 2;
  const style = { '--yarn': `var(--yarn-${stage.mark.yarn})` };
  const here = stage.fetched === null ? 1 : stage.fetched;
  const height = step.bottom - step.top;
  return (
    <g class={`stage stage-${stage.state}${stage.late ? ' stage-late' : ''}`} style={style}>
      <title>{`${stage.name}: ${runText(stage.run, layers)}, ${stateText(stage)}`}</title>
      {stage.late && (
        <rect class="late-ground" x={step.x - 5} y={0} width={step.width + 10} height={step.bottom + 5} rx={6} />
      )}
      <rect class="swatch" x={middle - 12} y={2} width={24} height={22} rx={5} />
      <text class="swatch-letter" x={middle} y={18} text-anchor="middle">
        {stage.mark.letter}
      </text>
      <text class={stage.self ? 'name name-self' : 'name'} x={middle} y={39} text-anchor="middle">
        {shape.named ? fitted(stage.name, step.width) : runShort(stage.run, layers)}
      </text>
      <text class="label-quiet" x={middle} y={53} text-anchor="middle">
        {stage.state === 'holds' ? (stage.self ? 'you' : '') : stateText(stage)}
      </text>
      <rect class="stage-ground" x={step.x} y={step.top} width={step.width} height={height} rx={4} />
      <rect
        class="stage-here"
        x={step.x}
        y={step.bottom - height * here}
        width={step.width}
        height={height * here}
        rx={4}
      />
      {stage.trained.map((unit) => (
        <rect
          key={unit}
          class="stage-trained"
          x={step.x + 5}
          y={shape.rowY[unit]! + 4}
          width={step.width - 10}
          height={shape.rowHeight - 8}
          rx={2}
        />
      ))}
      <Foot stage={stage} step={step} y={shape.footY} named={shape.named} />
    </g>
  );
}

/** Memory of its limit, and time at work of the round: what is left of the latter is the bubble. */
function Foot({ stage, step, y, named }: { stage: StageColumn; step: Step; y: number; named: boolean }) {
  const { limitBytes, memoryBytes, busy } = stage;
  const memory = limitBytes === null || limitBytes === 0 ? null : Math.min(1, memoryBytes / limitBytes);
  const bars = [
    { key: 'memory', share: memory, text: named ? memoryText(stage) : '' },
    { key: 'busy', share: busy, text: percentText(busy) },
  ];
  return (
    <>
      {bars.map(({ key, share, text }, i) => (
        <g key={key}>
          <rect class="gauge" x={step.x} y={y + 28 * i} width={step.width} height={8} rx={4} />
          {share !== null && (
            <rect
              class="gauge-full"
              x={step.x}
              y={y + 28 * i}
              width={Math.max(2, step.width * share)}
              height={8}
              rx={4}
            />
          )}
          <text class="label-quiet" x={step.x + step.width / 2} y={y + 21 + 28 * i} text-anchor="middle">
            {text}
          </text>
        </g>
      ))}
    </>
  );
}

function fitted(name: string, width: number): string {
  const characters = Math.floor((width - 2) / 7.2);
  return name.length <= characters ? name : `${name.slice(0, Math.max(1, characters - 1)).trimEnd()}…`;
}

/** What the marks of the picture mean. */
export function PipelineLegend({ shown }: { shown: Pipelines }) {
  return (
    <ul class="legend">
      <li>
        <svg width={26} height={20} aria-hidden="true" class="legend-stage">
          <rect class="stage-ground stage-here" x={2} y={2} width={22} height={16} rx={3} />
          <rect class="stage-trained" x={5} y={5} width={16} height={6} rx={2} />
        </svg>
        {say.whatADeviceHolds}
      </li>
      <li>
        <svg width={30} height={20} aria-hidden="true">
          <path class="arrow-up" d="M2 10H24" />
          <path class="arrow-up-head" d="M22 6L29 10L22 14z" />
        </svg>
        {say.hiddenStatesGoUp}
      </li>
      {shown.stages.some(({ getsGradient }) => getsGradient) && (
        <li>
          <svg width={30} height={20} aria-hidden="true">
            <path class="arrow-down" d="M28 10H6" />
            <path class="arrow-down-head" d="M9 6L3 10L9 14" />
          </svg>
          {say.theirGradientComesDown}
        </li>
      )}
    </ul>
  );
}
