import { useId } from 'preact/hooks';
import type { Actor, Made } from '../../tab/show/demonstration.ts';
import * as say from '../../words/watch/show.ts';
import { Swatch } from '../cloth/cloth-legend.tsx';
import type { Mark } from '../cloth/marks.ts';
import { MEMORY, type Scale, SPEED, UPLINK } from './scales.ts';

export interface DeviceCardProps {
  readonly actor: Actor;
  readonly mark: Mark;
  readonly status: string;
  readonly state: 'ready' | 'joining' | 'gone';
  readonly onMade: (made: Partial<Made>) => void;
  readonly onPlug: (plugged: boolean) => void;
  readonly onLock: (locked: boolean) => void;
  readonly onLie: (lies: boolean) => void;
}

/** What a person can do to one device of the demonstration; all of it acts at once. */
export function DeviceCard({ actor, mark, status, state, onMade, onPlug, onLock, onLie }: DeviceCardProps) {
  const { name, made, isHost, plugged, locked, lies } = actor;
  const id = useId();
  return (
    <li class={`show-device show-${state}`} aria-labelledby={id}>
      <div class="show-device-head">
        <Swatch letter={mark.letter} yarn={mark.yarn} />
        <h3 id={id}>
          {name}
          {isHost && <span class="show-tag"> {say.host}</span>}
        </h3>
        <p class="show-status">{status}</p>
      </div>
      <div class="show-sliders">
        <Slider
          label={say.speed}
          of={name}
          scale={SPEED}
          value={made.slowdown}
          disabled={!plugged}
          onValue={(slowdown) => onMade({ slowdown })}
        />
        <Slider
          label={say.memory}
          of={name}
          scale={MEMORY}
          value={made.memoryLimitBytes}
          disabled={!plugged}
          onValue={(memoryLimitBytes) => onMade({ memoryLimitBytes })}
        />
        {!isHost && (
          <Slider
            label={say.uplink}
            of={name}
            scale={UPLINK}
            value={made.uplinkBitsPerSecond}
            disabled={!plugged}
            onValue={(uplinkBitsPerSecond) => onMade({ uplinkBitsPerSecond })}
          />
        )}
      </div>
      {!isHost && (
        <div class="buttons show-deeds">
          <button type="button" aria-pressed={!plugged} onClick={() => onPlug(!plugged)}>
            {plugged ? say.unplug : say.plugIn}
          </button>
          <button type="button" disabled={!plugged} aria-pressed={locked} onClick={() => onLock(!locked)}>
            {locked ? say.wakeUp : say.lock}
          </button>
          <button type="button" disabled={!plugged} aria-pressed={lies} onClick={() => onLie(!lies)}>
            {lies ? say.beHonest : say.lie}
          </button>
        </div>
      )}
    </li>
  );
}

interface SliderProps {
  readonly label: string;
  readonly of: string;
  readonly scale: Scale;
  readonly value: number;
  readonly disabled: boolean;
  readonly onValue: (value: number) => void;
}

function Slider({ label, of, scale, value, disabled, onValue }: SliderProps) {
  const id = useId();
  const text = scale.text(value);
  return (
    <div class="show-slider">
      <label for={id}>
        {label} <span class="visually-hidden">{say.ofWithValue(of)}</span>
      </label>
      <output for={id}>{text}</output>
      <input
        id={id}
        type="range"
        min={0}
        max={scale.steps}
        step={1}
        value={scale.stepOf(value)}
        disabled={disabled}
        aria-valuetext={text}
        onInput={(event) => onValue(scale.at(Number(event.currentTarget.value)))}
      />
    </div>
  );
}
