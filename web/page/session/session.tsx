import { useEffect, useRef, useState } from 'preact/hooks';
import { capitalised, listText } from '../../../signaling/protocol/words/lists.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import type { HostSession, Notice, Session, SessionView } from '../../session/view/view.ts';
import { type Seats, seated } from '../cloth/marks.ts';
import { Curve } from '../curve/curve.tsx';
import { durationSentence, outcome } from '../curve/scores.ts';
import { spacedDigits } from '../door/door-words.ts';
import { Invite } from '../door/invite.tsx';
import { WaitingList } from '../door/waiting-list.tsx';
import { useKeptFocus, useWakeLock } from '../parts/hooks.ts';
import { WhatItGetsWrong } from '../take/dev-report.tsx';
import { Exports } from '../take/exports.tsx';
import { PredictFile } from '../take/predict-file.tsx';
import { TryIt } from '../take/try-it.tsx';
import { AllocationSection } from './allocation.tsx';
import { announcement } from './announce.ts';
import { Controls, Leave } from './controls.tsx';
import { DeviceList } from './device-list.tsx';
import { deviceLines, transferText } from './devices.ts';
import { headline, openingSteps, roleSentence, roundsProgress } from './headline.ts';
import { AboutPlan, Facts } from './plan-about.tsx';
import { problems } from './problems.ts';
import { sessionFacts } from './session-facts.ts';
import { Standing } from './standing.tsx';

interface SessionProps {
  readonly session: Session;
  /** The same session for its host, null for everyone else. */
  readonly host: HostSession | null;
  readonly origin: string;
  readonly addresses: readonly string[];
  /** Whom a device waits for that is not in yet; null for the host itself. */
  readonly hostName: string | null;
  /** Goes back to the start; the session is left or over. */
  readonly onLeave: () => void;
  /** Goes back to where the session can be looked at from outside: it was never entered. */
  readonly onOutside: () => void;
}

export function SessionScreen({ session, host, origin, addresses, hostName, onLeave, onOutside }: SessionProps) {
  const { view, said } = useSession(session);
  const [putAway, setPutAway] = useState<ReadonlySet<Notice['id']>>(new Set());
  const [taken, setTaken] = useState(false);
  const { room } = view;
  const seats = useSeats(view);
  const training = room?.phase === 'training' && view.ended === null;
  useWakeLock(training && view.role !== 'watcher');
  useFarewell(host !== null && room !== null && view.ended === null && !(room.phase === 'finished' && taken));
  const title = headline(view, hostName);
  const inTab = view.waiting.length === 0 ? title.title : `(${view.waiting.length}) ${title.title}`;
  useEffect(() => {
    document.title = `${inTab} · Tabloom`;
  }, [inTab]);

  const main = useRef<HTMLElement>(null);
  useKeptFocus(main);
  const heading = useRef<HTMLHeadingElement>(null);
  // The form that had the focus is gone; whoever listens starts at the headline.
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);

  const leave = (): void => {
    session.leave();
    onLeave();
  };
  const finished = room?.phase === 'finished';
  const hasAdapter = host !== null && room !== null && view.ended === null && view.rounds.length > 0;
  const { invitation, door, cap } = view;
  // The host's alone: who came by a link has it, and whom to let in is not theirs to say.
  const invite =
    host === null || invitation === null || door === null || cap === null || view.ended !== null || finished ? null : (
      <Invite {...invitation} door={door} cap={cap} entrance={host.entrance} origin={origin} addresses={addresses} />
    );

  return (
    <main ref={main} class={finished === true ? 'session session-finished' : 'session'}>
      <p class="visually-hidden" aria-live="polite">
        {said}
      </p>
      <div class="session-now">
        <div class="now">
          <h1 ref={heading} tabIndex={-1}>
            {title.title}
          </h1>
          <p class="now-detail">{title.detail}</p>
          {view.opening !== null && room === null && view.ended === null && <Opening opening={view.opening} />}
          {room !== null && room.phase !== 'gathering' && view.ended === null && !finished && <RoundBar view={view} />}
          {room !== null && view.ended === null && <OwnLoading view={view} />}
          {finished && <Result view={view} />}
          {view.ended === null && <Standing view={view} />}
          {view.ended === null && roleSentence(view) !== '' && <p class="role">{roleSentence(view)}</p>}
          {view.ended === null && host === null && <OwnDigits view={view} />}
          <Controls
            view={view}
            host={host}
            onLeave={leave}
            onBack={room === null && host === null ? onOutside : onLeave}
          />
        </div>
        {host !== null && view.ended === null && <WaitingList waiting={view.waiting} entrance={host.entrance} />}
        <Problems view={view} putAway={putAway} onPutAway={(id) => setPutAway(new Set([...putAway, id]))} />
        {room?.phase === 'gathering' && invite}
      </div>
      {hasAdapter && (
        <div class="session-take">
          <div class="session-ask">
            <TryIt view={view} host={host} open={finished === true} />
            <WhatItGetsWrong host={host} scoredRound={view.scores.at(-1)?.round ?? -1} />
            <PredictFile view={view} host={host} />
          </div>
          <details class="fold" data-fold="exports" open={finished === true}>
            <summary>Take it with you</summary>
            <Exports
              view={view}
              host={host}
              settings={room.settings}
              finished={finished === true}
              onTaken={() => setTaken(true)}
            />
          </details>
        </div>
      )}
      {room !== null && (
        <div class="session-work">
          <AllocationSection view={view} seats={seats} />
          {view.rounds.length > 0 && <Curve view={view} />}
        </div>
      )}
      {room !== null && (
        <div class="session-rest">
          <DeviceList
            onCompared={
              host === null || view.ended !== null ? null : (id, same) => host.entrance.confirmDigits(id, same)
            }
            onRemove={host === null || view.ended !== null || finished ? null : (id) => host.entrance.remove(id)}
            lines={deviceLines(
              view.ended === null ? room : { ...room, phase: 'finished' },
              view.self,
              view.rounds,
              seats,
              host === null ? {} : view.proofs,
            )}
          />
          <div class="folds">
            <AboutPlan
              room={room}
              onPolicy={host === null || view.ended !== null ? null : (policy) => host.setPolicy(policy)}
            />
            <details class="fold" data-fold="session">
              <summary>
                About the session <span class="summary-note">{room.settings.model.id.split('/').at(-1)}</span>
              </summary>
              <Facts facts={sessionFacts(room.settings)} />
            </details>
            {room.phase !== 'gathering' && invite !== null && (
              <details class="fold" data-fold="invite">
                <summary>
                  Invite devices <span class="summary-note">{room.id}</span>
                </summary>
                {invite}
              </details>
            )}
            <Log notices={view.notices} />
          </div>
          {view.ended === null && <Leave host={host !== null} onLeave={leave} />}
        </div>
      )}
    </main>
  );
}

function useSession(session: Session): { view: SessionView; said: string } {
  const [state, setState] = useState({ view: session.view, said: '' });
  useEffect(() => {
    const take = (view: SessionView): void =>
      setState((old) => ({ view, said: announcement(old.view, view) ?? old.said }));
    take(session.view);
    return session.subscribe(take);
  }, [session]);
  return state;
}

/** Who has which mark: remembered, so that nobody's colour changes when others come and go. */
function useSeats(view: SessionView): Seats {
  const seats = useRef<Seats>([]);
  const devices =
    view.room?.devices.filter((device) => device.status.kind !== 'watching').map((device) => device.id) ?? [];
  seats.current = seated(seats.current, devices);
  return seats.current;
}

/** Asks before a host's tab closes and takes the session with it. */
function useFarewell(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [wanted]);
}

function Opening({ opening }: { opening: NonNullable<SessionView['opening']> }) {
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
function OwnLoading({ view: { status } }: { view: SessionView }) {
  if (status.kind !== 'loading' || status.transfer === undefined) return null;
  const { transfer } = status;
  return (
    <div>
      <p>This device is loading the model.</p>
      <progress value={transfer.bytes} max={Math.max(1, transfer.totalBytes)} aria-label="Loading the model" />
      <p class="step-note">{transferText(transfer)}</p>
    </div>
  );
}

/** On a device that came without the link: what its host compares. */
function OwnDigits({ view: { proofs, self } }: { view: SessionView }) {
  const digits = proofs[self]?.digits ?? null;
  if (digits === null) return null;
  return (
    <p class="role">
      The host sees <strong class="digits">{spacedDigits(digits)}</strong> beside your device’s name if nobody sits
      between you. Tell the host what you see here.
    </p>
  );
}

function RoundBar({ view }: { view: SessionView }) {
  if (view.room === null) return null;
  const { done, total, share } = roundsProgress(view, view.room);
  return (
    <div
      class="bar"
      role="progressbar"
      aria-label="Rounds"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
    >
      <div class="bar-done" style={{ width: `${100 * share}%` }} />
    </div>
  );
}

function Result({ view }: { view: SessionView }) {
  const score = outcome(view.scores, view.room?.settings.task.devExamples);
  return (
    <div class="result">
      {score !== null && (
        <p>
          Dev {score.metric}{' '}
          {score.before !== null && (
            <>
              <span class="result-before">{score.before}</span> <span aria-hidden="true">→</span>
              <span class="visually-hidden">to</span>{' '}
            </>
          )}
          <strong class="result-after">{score.after}</strong> on {score.of}
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

function Problems({
  view,
  putAway,
  onPutAway,
}: {
  view: SessionView;
  putAway: ReadonlySet<Notice['id']>;
  onPutAway: (id: Notice['id']) => void;
}) {
  return (
    <div class="problems" role="alert">
      {problems(view, putAway).map(({ key, sentence, notice }) => (
        <p key={key} class="problem">
          <span>{sentence}</span>
          {notice !== null && (
            <button type="button" class="plain" aria-label="Put this message away" onClick={() => onPutAway(notice)}>
              ✕
            </button>
          )}
        </p>
      ))}
    </div>
  );
}

function Log({ notices }: { notices: readonly Notice[] }) {
  if (notices.length === 0) return null;
  return (
    <details class="fold">
      <summary>
        What happened <span class="summary-note">{notices.length}</span>
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
