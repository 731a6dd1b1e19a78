import type { Ref } from 'preact';
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
  return (
    <section class="show-caption" aria-labelledby="show-title">
      <p class="show-step">
        <span class="show-dots" aria-hidden="true">
          {STEPS.map((one, i) => (
            <span key={one} class={i < place ? 'show-dot show-dot-done' : 'show-dot'} />
          ))}
        </span>
        {place} of {STEPS.length}
      </p>
      <h1 id="show-title" ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p class="show-text" aria-live="polite">
        {text}
      </p>
      <div class="buttons">
        <button type="button" class="primary show-next" disabled={waits !== null} onClick={onNext}>
          {next}
        </button>
        <button type="button" class="plain" onClick={onLeave}>
          Leave
        </button>
        <p class="show-waits" role="status">
          {waits}
        </p>
      </div>
    </section>
  );
}
