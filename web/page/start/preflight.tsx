import { useEffect, useRef, useState } from 'preact/hooks';
import type { ModelSource, WeightStorage } from '../../../signaling/protocol/settings.ts';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import type { Preflight } from '../../../worker/api/host-api.ts';
import * as say from '../../words/start/start.ts';
import { preflightWords, type Work } from './preflight-words.ts';

type Answer =
  | { readonly kind: 'asking' }
  | { readonly kind: 'found'; readonly found: Preflight }
  | { readonly kind: 'failed'; readonly sentence: string };

/** What the model takes, asked as soon as it is named and before anything large is fetched. */
export function PreflightNote({
  source,
  weights,
  memoryBytes,
  work,
  ask,
}: {
  source: ModelSource;
  weights: WeightStorage;
  /** What the person gives at most; null for what the browser usually bears. */
  memoryBytes: number | null;
  /** A round, as the form has it; null while something of it is wrong. */
  work: Work | null;
  ask: (source: ModelSource) => Promise<Preflight>;
}) {
  const [answer, setAnswer] = useState<Answer>({ kind: 'asking' });
  const key = JSON.stringify(source);
  const [turn, setTurn] = useState(0);
  const latest = useRef({ source, ask });
  latest.current = { source, ask };
  useEffect(() => {
    const { source: asked, ask: question } = latest.current;
    let over = false;
    setAnswer({ kind: 'asking' });
    question(asked).then(
      (found) => {
        if (!over) setAnswer({ kind: 'found', found });
      },
      (error: unknown) => {
        if (!over) setAnswer({ kind: 'failed', sentence: errorSentence(error, say.theHubGaveNoAnswer) });
      },
    );
    return () => {
      over = true;
    };
  }, [key, turn]);
  const words = answer.kind === 'found' ? preflightWords(answer.found, weights, memoryBytes, work) : null;
  return (
    <div class="takes" role="status">
      <p class="takes-title">{say.whatThisTakes}</p>
      {answer.kind === 'asking' && <p>{say.askingTheHubAbout(source.id)}</p>}
      {answer.kind === 'failed' && (
        <>
          <p class="field-problem">{answer.sentence}</p>
          <div class="buttons">
            <button class="plain" type="button" onClick={() => setTurn(turn + 1)}>
              {say.askAgain}
            </button>
          </div>
        </>
      )}
      {words !== null && (
        <>
          <p>{words.what}</p>
          <p>{words.download}</p>
          <p class={words.tokenizes ? undefined : 'field-problem'}>{words.tokenizer}</p>
          <p class={words.fits ? undefined : 'field-problem'}>{words.memory}</p>
        </>
      )}
    </div>
  );
}
