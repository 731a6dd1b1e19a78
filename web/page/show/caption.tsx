import type { Ref } from 'preact';
import { useMemo } from 'preact/hooks';
import * as say from '../../words/watch/show.ts';
import { type Caption, STEPS, type Step } from './tour.ts';

interface CaptionProps {
  readonly step: Step;
  readonly caption: Caption;
  readonly heading: Ref<HTMLHeadingElement>;
  readonly onNext: () => void;
  readonly onLeave: () => void;
}

/** The words that lead through the demonstration, and the one thing to press next. */
export function CaptionCard({ step, caption, heading, onNext, onLeave }: CaptionProps) {
  const { title, text, waits, next } = caption;
  const place = STEPS.indexOf(step) + 1;
  const waiting = waits !== null;
  // Once when a station begins and once when what it waits for has come: not with every round.
  const said = useMemo(() => `${title}. ${waits ?? text}`, [step, waiting]);
  return (
    <section class="show-caption" aria-labelledby="show-title">
      <p class="show-step">
        <span class="show-dots" aria-hidden="true">
          {STEPS.map((one, i) => (
            <span key={one} class={i < place ? 'show-dot show-dot-done' : 'show-dot'} />
          ))}
        </span>
        {say.ofWord(place, STEPS.length)}
      </p>
      <h1 id="show-title" ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p class="show-text">{text}</p>
      <p class="visually-hidden" aria-live="polite">
        {said}
      </p>
      <div class="buttons">
        {/* Not disabled: whoever goes on by keyboard stays on it. */}
        <button
          type="button"
          class="primary show-next"
          aria-disabled={waiting}
          onClick={() => {
            if (!waiting) onNext();
          }}
        >
          {next}
        </button>
        <button type="button" class="plain" onClick={onLeave}>
          {say.leave}
        </button>
        <p class="show-waits">{waits}</p>
      </div>
    </section>
  );
}
