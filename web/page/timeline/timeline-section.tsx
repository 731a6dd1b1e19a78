import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import type { RoomView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import * as say from '../../words/watch/timeline.ts';
import { Swatch } from '../cloth/cloth-legend.tsx';
import type { Seats } from '../cloth/marks.ts';
import { useShared } from '../parts/hooks.ts';
import { pressable } from '../parts/pressable.ts';
import { type Lane, type SegmentKind, type Timeline, timeline, toldRounds } from './timeline.ts';
import { criticalSentence, KIND_WORDS, laneSentence } from './timeline-words.ts';

/** A lane a device: what it did in a round, when, and what the round waited for. Steps back through the last rounds. */
export function TimelineSection({
  rounds,
  room,
  seats,
}: {
  rounds: readonly RoundReport[];
  room: RoomView;
  seats: Seats;
}) {
  const told = toldRounds(rounds);
  /** Null follows the newest. */
  const [chosen, setChosen] = useState<number | null>(null);
  const calm = useCalm(told.at(-1)?.round ?? 0);
  const place = Math.max(
    0,
    chosen === null ? told.findLastIndex(({ round }) => round <= calm) : told.findIndex(({ round }) => round >= chosen),
  );
  const report = told[place];
  const shown = useShared(useMemo(() => (report ? timeline({ report, room, seats }) : null), [report, room, seats]));
  if (report === undefined || shown === null) return null;
  const go = (to: number): void => setChosen(to >= told.length - 1 ? null : (told[Math.max(0, to)]?.round ?? null));
  return (
    <section class="timeline" aria-labelledby="timeline-title">
      <div class="timeline-head">
        <h2 id="timeline-title">{say.roundSecondBySecond(report.round)}</h2>
        <div class="buttons">
          <button type="button" aria-label={say.anEarlierRound} {...pressable(place === 0, () => go(place - 1))}>
            ‹
          </button>
          <button
            type="button"
            aria-label={say.aLaterRound}
            {...pressable(place === told.length - 1, () => go(place + 1))}
          >
            ›
          </button>
        </div>
      </div>
      <Lanes shown={shown} />
      <Kinds shown={shown} />
      <p class="limit">{criticalSentence(shown)}</p>
    </section>
  );
}

/** Rounds may be quicker than anybody can look: the newest is taken up once a second. */
const CALM_MS = 1000;

function useCalm(newest: number): number {
  const [calm, setCalm] = useState(newest);
  const latest = useRef(newest);
  latest.current = newest;
  const waiting = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => {
    if (newest === calm || waiting.current !== null) return;
    waiting.current = setTimeout(() => {
      waiting.current = null;
      setCalm(latest.current);
    }, CALM_MS);
  }, [newest, calm]);
  useEffect(() => () => clearTimeout(waiting.current ?? undefined), []);
  return calm;
}

function Lanes({ shown }: { shown: Timeline }) {
  const id = useId();
  const [selected, setSelected] = useState<string | null>(null);
  const [pointed, setPointed] = useState<string | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const at = Math.max(
    0,
    shown.lanes.findIndex(({ device }) => device === (selected ?? shown.critical)),
  );
  const lane = shown.lanes.find(({ device }) => device === pointed) ?? shown.lanes[at];
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1, Home: -at, End: shown.lanes.length - 1 - at }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const to = shown.lanes[Math.min(shown.lanes.length - 1, Math.max(0, at + by))];
    if (to !== undefined) setSelected(to.device);
  };
  useEffect(() => {
    if (selected !== null) list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  return (
    <>
      <div
        class="lanes"
        ref={list}
        role="listbox"
        aria-label={say.devicesInRoundArrowKeys(shown.round)}
        aria-activedescendant={`${id}-${at}`}
        tabIndex={0}
        onKeyDown={move}
        onPointerLeave={() => setPointed(null)}
      >
        {shown.lanes.map((one, i) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus and says which lane is meant
          // biome-ignore lint/a11y/useKeyWithClickEvents: the list listens to keys
          <div
            key={one.device}
            id={`${id}-${i}`}
            role="option"
            class="lane"
            aria-selected={i === at}
            onClick={() => setSelected(one.device)}
            onPointerEnter={() => setPointed(one.device)}
          >
            <span class="lane-name">
              {one.mark === null ? (
                <span class="chip chip-none" aria-hidden="true" />
              ) : (
                <Swatch letter={one.mark.letter} yarn={one.mark.yarn} />
              )}
              <span class="lane-label">{one.name}</span>
            </span>
            <LaneBar lane={one} seconds={shown.seconds} />
          </div>
        ))}
      </div>
      <div class="lane-axis" aria-hidden="true">
        <span>0</span>
        <span>{secondsText(shown.seconds / 2)}</span>
        <span>{secondsText(shown.seconds)}</span>
      </div>
      <p class="lane-words" aria-live="polite">
        {lane === undefined ? '' : laneSentence(lane)}
      </p>
    </>
  );
}

const WIDE = 1000;

/** Stretched to whatever width there is, so that no lane has to be measured. */
function LaneBar({ lane, seconds }: { lane: Lane; seconds: number }) {
  return useMemo(() => laneBar(lane, seconds), [lane, seconds]);
}

function laneBar(lane: Lane, seconds: number) {
  const x = (at: number): number => Math.round((WIDE * Math.min(at, seconds)) / Math.max(seconds, 1e-9));
  return (
    <svg
      class="lane-bar"
      viewBox={`0 0 ${WIDE} 20`}
      preserveAspectRatio="none"
      aria-hidden="true"
      style={lane.mark === null ? undefined : { '--yarn': `var(--yarn-${lane.mark.yarn})` }}
    >
      <line class="lane-ground" x1={0} x2={WIDE} y1={10} y2={10} />
      {lane.segments.map(({ kind, startSeconds, endSeconds, microBatch, critical }) => (
        <rect
          key={`${kind} ${microBatch ?? ''} ${startSeconds}`}
          class={`segment segment-${kind}${critical ? ' segment-critical' : ''}`}
          x={x(startSeconds)}
          width={Math.max(2, x(endSeconds) - x(startSeconds))}
          y={kind === 'wait' ? 9 : 2}
          height={kind === 'wait' ? 2 : 14}
        />
      ))}
      {lane.sends.map(({ kind, startSeconds, endSeconds, microBatch }) => (
        <rect
          key={`${kind} ${microBatch ?? ''}`}
          class={`segment segment-${kind}`}
          x={x(startSeconds)}
          width={Math.max(2, x(endSeconds) - x(startSeconds))}
          y={kind === 'send-up' ? 0 : 15}
          height={2.5}
        />
      ))}
      {lane.segments
        .filter(({ critical }) => critical)
        .map(({ kind, microBatch, startSeconds, endSeconds }) => (
          <rect
            key={`critical ${kind} ${microBatch ?? ''} ${startSeconds}`}
            class="critical"
            x={x(startSeconds)}
            width={Math.max(2, x(endSeconds) - x(startSeconds))}
            y={17.5}
            height={2.5}
          />
        ))}
      {lane.predictedEndSeconds !== null && (
        <line class="lane-predicted" x1={x(lane.predictedEndSeconds)} x2={x(lane.predictedEndSeconds)} y1={0} y2={20} />
      )}
    </svg>
  );
}

/** What the host does beside its own part is one mark. */
const NOT_EXPLAINED: ReadonlySet<SegmentKind> = new Set(['wait', 'prepare']);

/** What the marks mean, of those that are there. */
function Kinds({ shown }: { shown: Timeline }) {
  const kinds = [
    ...new Set(shown.lanes.flatMap(({ segments, sends }) => [...segments, ...sends].map(({ kind }) => kind))),
  ];
  const predicted = shown.lanes.some(({ predictedEndSeconds }) => predictedEndSeconds !== null);
  return (
    <ul class="legend">
      {kinds
        .filter((kind) => !NOT_EXPLAINED.has(kind))
        .map((kind) => (
          <li key={kind}>
            <svg width={26} height={20} aria-hidden="true" class="legend-segment">
              {kind === 'send-up' || kind === 'send-down' ? (
                <rect class={`segment segment-${kind}`} x={2} y={kind === 'send-up' ? 4 : 13} width={22} height={3} />
              ) : (
                <rect class={`segment segment-${kind}`} x={2} y={4} width={22} height={12} />
              )}
            </svg>
            {kind === 'step' ? say.theHostReadsSamplesMerges : KIND_WORDS[kind]}
          </li>
        ))}
      {predicted && (
        <li>
          <svg width={14} height={20} aria-hidden="true">
            <path class="lane-predicted" d="M7 2V18" />
          </svg>
          {say.predictedEnd}
        </li>
      )}
      <li>
        <svg width={26} height={20} aria-hidden="true">
          <rect class="critical" x={2} y={9} width={22} height={3} />
        </svg>
        {say.whatTheRoundWaited}
      </li>
    </ul>
  );
}
