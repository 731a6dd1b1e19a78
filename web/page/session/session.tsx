import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { capitalised } from '../../../signaling/protocol/words/lists.ts';
import { timeLeftText } from '../../../signaling/protocol/words/quantities.ts';
import type { HostSession, JoinedSession, Notice, Session, SessionView } from '../../session/view/view.ts';
import type { AskPlanner } from '../../session/view/what-if.ts';
import { youLeftTheSession } from '../../words/session/session.ts';
import * as say from '../../words/watch/session.ts';
import { AllocationSection } from '../allocation/allocation.tsx';
import { useLate } from '../cloth/late-round.ts';
import { type Seats, seated } from '../cloth/marks.ts';
import { Curve } from '../curve/curve.tsx';
import { Invite } from '../door/invite.tsx';
import { WaitingList } from '../door/waiting-list.tsx';
import { EndChoice } from '../estimate/end-choice.tsx';
import { useMeasured } from '../estimate/use-measured.ts';
import { NOTHING_GIVEN, type Tally, tallied } from '../own/given.ts';
import { OwnControls, OwnDevice, OwnName } from '../own/own-device.tsx';
import { useLimits } from '../own/own-limits.tsx';
import { ownState, thanksSentence } from '../own/own-words.ts';
import { useWakeLock } from '../own/phone.ts';
import { useKeptFocus, useWide } from '../parts/hooks.ts';
import { LazyFold } from '../parts/lazy-fold.tsx';
import { ResultsSection } from '../results/results-section.tsx';
import { useKeptRun } from '../runs/run-store.ts';
import { TimelineSection } from '../timeline/timeline-section.tsx';
import { Controls } from './controls.tsx';
import { headline, roleSentence, roundsProgress } from './headline.ts';
import { Opening, OwnDigits, OwnLoading, Problems, Result, RoundBar } from './now.tsx';
import { Rest } from './rest.tsx';
import { Standing } from './standing.tsx';
import { TakeArea } from './take-area.tsx';
import { useSession } from './use-session.ts';

interface SessionProps {
  readonly session: Session;
  /** The same session for its host, null for everyone else. */
  readonly host: HostSession | null;
  /** The same session for who joined it, null for its host. */
  readonly joined: JoinedSession | null;
  readonly origin: string;
  readonly addresses: readonly string[];
  /** Whom a device waits for that is not in yet; null for the host itself. */
  readonly hostName: string | null;
  /** What a plan would be, without touching the room. */
  readonly plan: AskPlanner;
  /** Adds a device in this tab to a session of one's own. */
  readonly addDevice?: (host: HostSession) => Promise<void>;
  /** The session's room is in this page: nobody can be asked in. */
  readonly alone?: boolean;
  /** Goes back to the start; the session is left or over. */
  readonly onLeave: () => void;
  /** Goes back to where the session can be looked at from outside: it was never entered, or was left. */
  readonly onOutside: () => void;
}

export function SessionScreen(props: SessionProps) {
  const { session, host, joined, origin, addresses, hostName, plan, addDevice, alone, onLeave, onOutside } = props;
  const { view, said } = useSession(session);
  const [putAway, setPutAway] = useState<ReadonlySet<Notice['id']>>(new Set());
  const [taken, setTaken] = useState(false);
  const wide = useWide();
  const { room } = view;
  const seats = useSeats(view);
  const tally = useTally(view);
  const names = useNames(view);
  const late = useLate(view);
  const finished = room?.phase === 'finished';
  const going = room !== null && view.ended === null && !finished;
  // From joining on: who gets ready with the screen off never does.
  const screen = useWakeLock(going && view.role !== 'watcher' && (host === null || room.phase === 'training'));
  useFarewell(host !== null && room !== null && view.ended === null && !(finished && taken));
  const own = joined !== null && view.role === 'device' && room !== null && view.ended === null;
  const limits = useLimits(view, own ? joined : null);
  const title =
    (own ? ownState(view, timeLeft(view), late.includes(view.self), limits.reason) : null) ?? headline(view, hostName);
  const inTab = view.waiting.length === 0 ? title.title : `(${view.waiting.length}) ${title.title}`;
  useEffect(() => {
    document.title = `${inTab} · Tabloom`;
  }, [inTab]);

  useMeasured(view);
  useKeptRun(view);
  const main = useRef<HTMLElement>(null);
  useKeptFocus(main);
  const heading = useRef<HTMLHeadingElement>(null);
  // The form that had the focus is gone; whoever listens starts at the headline.
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);

  const leave = (): void => {
    session.leave();
    // Who was in a session sees what came of it; who was not goes where they came from.
    if (joined === null || room === null) onLeave();
  };
  const { invitation, door, cap } = view;
  // The host's alone: who came by a link has it, and whom to let in is not theirs to say.
  const invite =
    alone ||
    host === null ||
    invitation === null ||
    door === null ||
    cap === null ||
    view.ended !== null ||
    finished ? null : (
      <Invite
        {...invitation}
        {...{ door, cap, origin, addresses, entrance: host.entrance }}
        guests={{ devices: room?.devices ?? [], waiting: view.waiting, seats }}
      />
    );

  const { rounds, scores, notices, proofs, ended } = view;
  // What a report of progress does not change is passed over as it is: most of the page, many times a second.
  const told = useMemo(
    () =>
      room === null || rounds.length === 0 ? null : (
        <>
          <TimelineSection rounds={rounds} room={room} seats={seats} />
          <Curve view={view} names={names} />
        </>
      ),
    [rounds, scores, room, seats],
  );
  const rest = useMemo(
    () =>
      room !== null && (
        <Rest
          view={view}
          room={room}
          host={host}
          seats={seats}
          plan={plan}
          invite={invite}
          onAdd={alone || host === null || addDevice === undefined ? null : () => addDevice(host)}
          onLeave={own ? null : leave}
        />
      ),
    [rounds, notices, proofs, ended, room, host, seats, plan, own, invitation, door, cap, addresses, view.waiting],
  );
  const take = useMemo(
    () =>
      host !== null && room !== null && ended === null && rounds.length > 0 ? (
        <TakeArea view={view} room={room} host={host} finished={finished === true} onTaken={() => setTaken(true)} />
      ) : null,
    [rounds, scores, view.pairs, view.best, view.kept, ended, room, host, finished],
  );
  if (joined !== null && room !== null && view.ended === youLeftTheSession)
    return (
      <Thanks
        sentence={view.role === 'watcher' ? say.youOnlyWatched : thanksSentence(tally, view.self)}
        onBack={onLeave}
        onReturn={onOutside}
      />
    );
  const work = room !== null && (
    <div class="session-work">
      <AllocationSection
        view={view}
        seats={seats}
        late={late}
        plan={plan}
        onPolicy={host === null || view.ended !== null || finished ? null : (policy) => host.setPolicy(policy)}
      />
      {told}
    </div>
  );
  return (
    <main ref={main} class={`session${finished ? ' session-finished' : ''}${own ? ' session-own' : ''}`}>
      <p class="visually-hidden" aria-live="polite">
        {said}
      </p>
      <div class="session-now">
        <div class="now">
          {own && <OwnName view={view} room={room} seats={seats} />}
          <h1 ref={heading} tabIndex={-1}>
            {unbroken(title.title)}
          </h1>
          <p class="now-detail">{title.detail}</p>
          {view.opening !== null && room === null && view.ended === null && <Opening opening={view.opening} />}
          {!own && going && room.phase !== 'gathering' && <RoundBar view={view} />}
          {!own && room !== null && view.ended === null && <OwnLoading view={view} />}
          {finished && <Result view={view} />}
          {own && <OwnDevice view={view} room={room} tally={tally} screen={screen} limits={limits} />}
          {host !== null && room?.phase === 'gathering' && rounds.length === 0 && view.ended === null && (
            <EndChoice room={room} host={host} />
          )}
          {view.ended === null && !own && roleSentence(view) !== '' && (
            <p class="role">{unbroken(roleSentence(view))}</p>
          )}
          {view.ended === null && host === null && <OwnDigits view={view} />}
          {!own && (
            <Controls
              view={view}
              host={host}
              onLeave={leave}
              onBack={room === null && host === null ? onOutside : onLeave}
            />
          )}
          {/* Below the controls: what it says comes when the planner answers, and must not move them under a finger. */}
          {view.ended === null && !own && <Standing view={view} plan={plan} />}
        </div>
        {host !== null && view.ended === null && <WaitingList waiting={view.waiting} entrance={host.entrance} />}
        <Problems view={view} late={late} putAway={putAway} onPutAway={(id) => setPutAway(new Set([...putAway, id]))} />
        {room?.phase === 'gathering' && invite}
        {finished && <ResultsSection view={view} tally={tally} seats={seats} names={names} />}
      </div>
      {take}
      {own ? (
        <LazyFold kind="session-whole" summary={say.theWholePicture} open={wide || finished === true}>
          {() => (
            <div class="session-whole-inside">
              {work}
              {rest}
            </div>
          )}
        </LazyFold>
      ) : (
        <>
          {work}
          {rest}
        </>
      )}
      {own && <OwnControls view={view} session={joined} reason={limits.reason} onLeave={leave} />}
    </main>
  );
}

/** A run of layers stays on one line. */
const unbroken = (text: string): string => text.replaceAll('–', '\u2060–\u2060');

/** "About 3 min left."; empty while nobody can tell. */
function timeLeft(view: SessionView): string {
  const seconds = view.room === null ? null : roundsProgress(view, view.room).secondsLeft;
  return seconds === null ? '' : `${capitalised(timeLeftText(seconds))} left.`;
}

/** Of who left: what their device did for the others, and the way back in. */
function Thanks({ sentence, onBack, onReturn }: { sentence: string; onBack: () => void; onReturn: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <main class="thanks">
      <h1 ref={heading} tabIndex={-1}>
        {say.thankYou}
      </h1>
      <p>{say.theOthersGoOnNothing(sentence)}</p>
      <div class="buttons">
        <button class="primary" type="button" onClick={onReturn}>
          {say.comeBack}
        </button>
        <button class="plain" type="button" onClick={onBack}>
          {say.goToTheStart}
        </button>
      </div>
    </main>
  );
}

/** Who has which mark: remembered, so that nobody's colour changes when others come and go. */
function useSeats(view: SessionView): Seats {
  const seats = useRef<Seats>([]);
  const devices =
    view.room?.devices.filter((device) => device.status.kind !== 'watching').map((device) => device.id) ?? [];
  seats.current = seated(seats.current, devices);
  return seats.current;
}

/** What everybody has given, added up as rounds come. */
function useTally({ room, rounds }: SessionView): Tally {
  const tally = useRef<Tally>(NOTHING_GIVEN);
  if (room !== null) tally.current = tallied(tally.current, rounds, room.settings.shape.layers);
  return tally.current;
}

/** What devices are called, those that left included. */
function useNames({ room }: SessionView): ReadonlyMap<string, string> {
  const names = useRef(new Map<string, string>());
  for (const { id, name } of room?.devices ?? []) names.current.set(id, name);
  return names.current;
}

/** Asks before a host's tab closes: then the session ends, waits, or is another device's. */
function useFarewell(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [wanted]);
}
