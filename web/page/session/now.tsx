import { capitalised, listText } from '../../../signaling/protocol/words/lists.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import type { Notice, SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/session.ts';
import { durationSentence, outcome } from '../curve/scores.ts';
import { transferText } from '../devices/device-lines.ts';
import { spacedDigits } from '../door/door-words.ts';
import { openingSteps, roundsProgress } from './headline.ts';
import { problems } from './problems.ts';

export function Opening({ opening }: { opening: NonNullable<SessionView['opening']> }) {
  return (
    <ol class="steps">
      {openingSteps(opening).map(({ stage, text, state }) => (
        <li key={stage} class={`step-${state}`} aria-current={state === 'now' ? 'step' : undefined}>
          {text}
          {state === 'now' && opening.total > 0 && (
            <progress value={opening.done} max={opening.total} aria-label={text} />
          )}
        </li>
      ))}
    </ol>
  );
}

/** What this very device still fetches before it can train. */
export function OwnLoading({ view: { status } }: { view: SessionView }) {
  if (status.kind !== 'loading' || status.transfer === undefined) return null;
  const { transfer } = status;
  return (
    <div>
      <p>{say.thisDeviceIsLoading}</p>
      <progress value={transfer.bytes} max={Math.max(1, transfer.totalBytes)} aria-label={say.loadingTheModel} />
      <p class="step-note">{transferText(transfer)}</p>
    </div>
  );
}

/** On a device that came without the link: what its host compares. */
export function OwnDigits({ view: { proofs, self } }: { view: SessionView }) {
  const digits = proofs[self]?.digits ?? null;
  if (digits === null) return null;
  return (
    <p class="role">
      {say.theHostSees} <strong class="digits">{spacedDigits(digits)}</strong> {say.besideYourDevicesName}
    </p>
  );
}

export function RoundBar({ view }: { view: SessionView }) {
  if (view.room === null) return null;
  const { done, total, share } = roundsProgress(view, view.room);
  return (
    <div
      class="bar"
      role="progressbar"
      aria-label={say.roundsTitle}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
    >
      <div class="bar-done" style={{ transform: `translateX(${100 * (share - 1)}%)` }} />
    </div>
  );
}

export function Result({ view }: { view: SessionView }) {
  const score = outcome(view.scores, view.room?.settings.task.devExamples);
  return (
    <div class="result">
      {score !== null && (
        <p>
          {say.devWithMetric(score.metric)}{' '}
          {score.before !== null && (
            <>
              <span class="result-before">{score.before}</span> <span aria-hidden="true">→</span>
              <span class="visually-hidden">{say.to}</span>{' '}
            </>
          )}
          <strong class="result-after">{score.after}</strong> {say.on(score.of)}
          {score.constant !== null && <>; {score.constant}</>}
        </p>
      )}
      {score !== null && score.further.length > 0 && (
        <p class="result-further">{capitalised(listText(score.further))}.</p>
      )}
      <p class="result-time">{durationSentence(view.rounds, view.scores)}</p>
    </div>
  );
}

export function Problems({
  view,
  late,
  putAway,
  onPutAway,
}: {
  view: SessionView;
  late: readonly string[];
  putAway: ReadonlySet<Notice['id']>;
  onPutAway: (id: Notice['id']) => void;
}) {
  return (
    <div class="problems" role="alert">
      {problems(view, putAway, late).map(({ key, sentence, notice, mild }) => (
        <p key={key} class={mild ? 'problem problem-mild' : 'problem'}>
          <span>{sentence}</span>
          {notice !== null && (
            <button type="button" class="plain" aria-label={say.putThisMessageAway} onClick={() => onPutAway(notice)}>
              ✕
            </button>
          )}
        </p>
      ))}
    </div>
  );
}

export function Log({ notices }: { notices: readonly Notice[] }) {
  if (notices.length === 0) return null;
  return (
    <details class="fold">
      <summary>
        {say.whatHappened} <span class="summary-note">{notices.length}</span>
      </summary>
      <ol class="log">
        {notices.toReversed().map((notice) => (
          <li key={notice.id} class={`log-${notice.kind}`}>
            <span class="log-time">{secondsText(notice.elapsedSeconds)}</span> {notice.sentence}
          </li>
        ))}
      </ol>
    </details>
  );
}
