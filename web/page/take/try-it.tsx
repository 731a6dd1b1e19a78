import { useEffect, useRef, useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import type { HostSession, Prediction, SessionView, TriedText } from '../../session/view/view.ts';
import { examples } from '../../words/take/examples.ts';
import * as say from '../../words/take/take.ts';
import { pressable } from '../parts/pressable.ts';
import { againInMs } from './ask-again.ts';
import { answeredBy, predictionLines, textNames } from './try-it-words.ts';

type Answer =
  | { readonly kind: 'none' }
  | { readonly kind: 'asking' }
  | {
      readonly kind: 'given';
      readonly tried: TriedText;
      /** What was asked, and when; asked again by itself once a round has changed the model. */
      readonly texts: readonly string[];
      readonly askedMs: number;
      readonly again: boolean;
    }
  | { readonly kind: 'failed'; readonly sentence: string };

/** Asks the model as it is now: a text or two, and what it says of them. */
export function TryIt({ view, host, open }: { view: SessionView; host: HostSession; open: boolean }) {
  const [texts, setTexts] = useState<readonly string[]>(['', '']);
  const [answer, setAnswer] = useState<Answer>({ kind: 'none' });
  const asking = useRef(false);
  const round = view.rounds.at(-1)?.round ?? 0;

  const ask = async (asked: readonly string[], again: boolean): Promise<void> => {
    if (asking.current) return;
    asking.current = true;
    const askedMs = performance.now();
    if (!again) setAnswer({ kind: 'asking' });
    try {
      const tried = await host.tryText(asked[0] ?? '', asked[1] ?? null);
      setAnswer({ kind: 'given', tried, texts: asked, askedMs, again });
    } catch (error) {
      // An answer that was given stays: nobody asked for another.
      if (!again) setAnswer({ kind: 'failed', sentence: errorSentence(error, say.theModelGaveNoAnswer) });
    } finally {
      asking.current = false;
    }
  };

  useEffect(() => {
    if (answer.kind !== 'given') return;
    const inMs = againInMs({ round: answer.tried.round, askedMs: answer.askedMs }, round, performance.now());
    if (inMs === null) return;
    const timer = setTimeout(() => void ask(answer.texts, true), inMs);
    return () => clearTimeout(timer);
  }, [answer, round]);

  const { room } = view;
  if (room === null) return null;
  const names = textNames(room.settings.task, view.pairs === true);
  const given = texts.slice(0, names.length);
  const ready = given.every((text) => text.trim() !== '');
  const submit = (event: Event): void => {
    event.preventDefault();
    if (ready) void ask(given, false);
  };
  const tryExample = (example: readonly string[]): void => {
    setTexts([example[0] ?? '', example[1] ?? '']);
    void ask(example, false);
  };

  return (
    <details class="fold try-it" open={open}>
      <summary>{say.tryIt}</summary>
      <form class="form" onSubmit={submit} aria-label={say.tryIt}>
        {names.map((name, i) => (
          <div class="field" key={name}>
            <label for={`try-${i}`}>{name}</label>
            <textarea
              id={`try-${i}`}
              name={`try-${i}`}
              rows={2}
              maxLength={10_000}
              value={texts[i] ?? ''}
              onInput={(event) => {
                const { value } = event.currentTarget;
                setTexts((old) => old.map((text, at) => (at === i ? value : text)));
              }}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
              }}
            />
          </div>
        ))}
        <TryExamples all={examples[room.settings.task.id] ?? []} onChosen={tryExample} />
        <div class="buttons">
          <button type="submit" disabled={!ready} {...pressable(answer.kind === 'asking')}>
            {answer.kind === 'asking' ? say.asking : say.askTheModel}
          </button>
        </div>
      </form>
      <div role="status" aria-live={answer.kind === 'given' && answer.again ? 'off' : 'polite'}>
        {answer.kind === 'failed' && <p class="field-problem">{answer.sentence}</p>}
        {answer.kind === 'given' && (
          <div class="answers">
            {answer.tried.before !== null && (
              <div>
                <Answered prediction={answer.tried.before} />
                <p class="field-hint">{answeredBy(0)}</p>
              </div>
            )}
            <div>
              <Answered prediction={answer.tried.prediction} />
              <p class="field-hint">{answeredBy(answer.tried.round)}</p>
            </div>
          </div>
        )}
      </div>
    </details>
  );
}

function TryExamples({
  all,
  onChosen,
}: {
  readonly all: readonly (readonly string[])[];
  readonly onChosen: (example: readonly string[]) => void;
}) {
  if (all.length === 0) return null;
  return (
    <div class="try-examples">
      <span class="field-hint">{say.orOneOfThese}</span>
      {all.map((example) => (
        <button key={example.join()} type="button" class="try-example" onClick={() => onChosen(example)}>
          {example.join(' / ')}
        </button>
      ))}
    </div>
  );
}

function Answered({ prediction }: { prediction: Prediction }) {
  if (prediction.kind === 'value') return <p class="answer-value">{prediction.value.toFixed(2)}</p>;
  return (
    <ul class="answer">
      {predictionLines(prediction).map(({ name, share, text }) => (
        <li key={name}>
          <span class="answer-name">{name}</span>
          <span class="answer-text">{text}</span>
          <span class="answer-bar" aria-hidden="true">
            <span style={{ width: `${100 * share}%` }} />
          </span>
        </li>
      ))}
    </ul>
  );
}
