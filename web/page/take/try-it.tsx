import { useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import type { HostSession, Prediction, SessionView, TriedText } from '../../session/view/view.ts';
import * as say from '../../words/take/take.ts';
import { pressable } from '../parts/pressable.ts';
import { answeredBy, predictionLines, textNames } from './try-it-words.ts';

type Answer =
  | { readonly kind: 'none' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'given'; readonly tried: TriedText }
  | { readonly kind: 'failed'; readonly sentence: string };

/** Asks the model as it is now: a text or two, and what it says of them. */
export function TryIt({ view, host, open }: { view: SessionView; host: HostSession; open: boolean }) {
  const [texts, setTexts] = useState<readonly string[]>(['', '']);
  const [answer, setAnswer] = useState<Answer>({ kind: 'none' });
  const { room } = view;
  if (room === null) return null;
  const names = textNames(room.settings.task, view.pairs === true);
  const given = texts.slice(0, names.length);
  const ready = given.every((text) => text.trim() !== '');

  const ask = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!ready || answer.kind === 'asking') return;
    setAnswer({ kind: 'asking' });
    try {
      setAnswer({ kind: 'given', tried: await host.tryText(given[0]!, given[1] ?? null) });
    } catch (error) {
      setAnswer({ kind: 'failed', sentence: errorSentence(error, say.theModelGaveNoAnswer) });
    }
  };

  return (
    <details class="fold try-it" open={open}>
      <summary>{say.tryIt}</summary>
      <form class="form" onSubmit={ask} aria-label={say.tryIt}>
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
                if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) void ask(event);
              }}
            />
          </div>
        ))}
        <div class="buttons">
          <button type="submit" disabled={!ready} {...pressable(answer.kind === 'asking')}>
            {answer.kind === 'asking' ? say.asking : say.askTheModel}
          </button>
        </div>
      </form>
      <div role="status">
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
