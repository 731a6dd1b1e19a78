import { useEffect, useRef, useState } from 'preact/hooks';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import type { SessionFactory } from '../../session/view/view.ts';
import * as say from '../../words/start/start.ts';

type Answer =
  | { readonly kind: 'asking' }
  | { readonly kind: 'there' }
  | { readonly kind: 'failed'; readonly sentence: string };

interface ReachProps {
  readonly task: string;
  readonly endpoint: string;
  readonly ask: SessionFactory['reachTask'];
}

/** Whether the chosen task's examples can be had, asked as soon as it is chosen, and what to do where they cannot. */
export function TaskReach({ task, endpoint, ask }: ReachProps) {
  const [answer, setAnswer] = useState<Answer>({ kind: 'asking' });
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    let over = false;
    setAnswer({ kind: 'asking' });
    latest.current({ id: task, endpoint }).then(
      () => {
        if (!over) setAnswer({ kind: 'there' });
      },
      (error: unknown) => {
        if (!over) setAnswer({ kind: 'failed', sentence: errorSentence(error, say.theHubGaveNoAnswer) });
      },
    );
    return () => {
      over = true;
    };
  }, [task, endpoint, turn]);
  return (
    <div class="takes" role="status">
      {answer.kind === 'asking' && <p>{say.askingTheHub}</p>}
      {answer.kind === 'there' && <p>{say.theHubHasTheExamples}</p>}
      {answer.kind === 'failed' && (
        <>
          <p class="field-problem">{answer.sentence}</p>
          <p>
            {say.withoutThisHubGiveAnother} <code>--hub FOLDER</code>
            {say.aFolderInTheHubs}
          </p>
          <div class="buttons">
            <button class="plain" type="button" onClick={() => setTurn(turn + 1)}>
              {say.askAgain}
            </button>
          </div>
        </>
      )}
    </div>
  );
}
