import { useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import type { HostSession, Prediction, TriedText } from '../../session/view/view.ts';
import * as say from '../../words/watch/show.ts';
import { pressable } from '../parts/pressable.ts';
import { predictionLines } from '../take/try-it-words.ts';

const EXAMPLES = [say.theJokesAreNot, say.theStoryIsFineBut, say.aWonderfulFilm];

/** Asks the model as it is now, and as it was before the first round. */
export function Ask({ host }: { host: Pick<HostSession, 'tryText'> }) {
  const [text, setText] = useState(EXAMPLES[0]!);
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState<{ readonly of: string; readonly tried: TriedText } | string | null>(null);
  const ask = async (of: string): Promise<void> => {
    setText(of);
    if (of.trim() === '' || asking) return;
    setAsking(true);
    try {
      setSaid({ of, tried: await host.tryText(of, null) });
    } catch (error) {
      setSaid(errorSentence(error, say.theModelGaveNoAnswer));
    } finally {
      setAsking(false);
    }
  };
  return (
    <form
      class="show-ask"
      onSubmit={(event) => {
        event.preventDefault();
        void ask(text);
      }}
    >
      <label for="show-ask">{say.aSentenceAboutAFilm}</label>
      <div class="show-ask-line">
        <input
          id="show-ask"
          name="show-ask"
          type="text"
          maxLength={300}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="primary" disabled={text.trim() === ''} {...pressable(asking)}>
          {asking ? say.asking : say.ask}
        </button>
      </div>
      <div class="buttons">
        {EXAMPLES.map((example) => (
          <button key={example} type="button" class="plain show-example" onClick={() => void ask(example)}>
            “{example}”
          </button>
        ))}
      </div>
      <div role="status" class="show-answers">
        {typeof said === 'string' && <p class="field-problem">{said}</p>}
        {said !== null && typeof said !== 'string' && (
          <>
            {said.tried.before !== null && <Answer head={say.beforeTraining} prediction={said.tried.before} />}
            <Answer head={say.afterRounds(said.tried.round)} prediction={said.tried.prediction} />
          </>
        )}
      </div>
    </form>
  );
}

function Answer({ head, prediction }: { head: string; prediction: Prediction }) {
  if (prediction.kind === 'value') return null;
  return (
    <div>
      <p class="show-answer-head">{head}</p>
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
    </div>
  );
}
