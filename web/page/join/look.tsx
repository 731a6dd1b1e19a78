import { useEffect, useRef, useState } from 'preact/hooks';
import type { Look } from '../../../signaling/protocol/door.ts';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import type { EngineChoice } from '../../../signaling/protocol/words/engines.ts';
import { type Invitation, readInvitation } from '../../session/links/link-address.ts';
import type { InvitedTo } from '../../session/view/view.ts';
import * as say from '../../words/join/join.ts';
import { Reading } from '../door/reading.tsx';
import { readingAsDevice } from '../door/reading-words.ts';
import { TextField } from '../parts/field.tsx';
import { pressable } from '../parts/pressable.ts';
import { recall, remember } from '../parts/remember.ts';
import { MEMORY_HINT, MEMORY_LABEL, readMemory } from './device-memory.ts';
import { checkName } from './device-name.ts';
import { EngineField } from './engine-field.tsx';
import { lookFacts, wayIn, wayInSentence } from './look-words.ts';

const MEMORY_KEY = 'tabloom.memory';

export interface JoinChoice {
  readonly invitation: InvitedTo;
  readonly hostName: string;
  readonly name: string;
  readonly watch: boolean;
  readonly slowdown: number;
  readonly memoryBytes?: number;
  readonly engine?: EngineChoice;
}

interface LookProps {
  /** The fragment that opened the page, or what a person typed. */
  readonly invited: string;
  readonly name: string;
  readonly onName: (name: string) => void;
  readonly busy: boolean;
  readonly look: (invitation: InvitedTo) => Promise<Look>;
  /** Another code was typed: the address is to say so, too, so that a reload comes back here. */
  readonly onInvited: (invitation: InvitedTo) => void;
  readonly onJoin: (choice: JoinChoice) => void;
}

type Seen =
  | { readonly kind: 'asking' }
  | { readonly kind: 'seen'; readonly look: Look; readonly invitation: InvitedTo }
  /** `sentence` says why. */
  | { readonly kind: 'none'; readonly sentence: string };

/** What a session is, before anybody joins it; a code that leads nowhere stays to be put right. */
export function LookScreen({ invited, name, onName, busy, look, onInvited, onJoin }: LookProps) {
  const [invitation, setInvitation] = useState<Invitation>(() => readInvitation(invited));
  const [seen, setSeen] = useState<Seen>(firstSeen(invitation));
  const [turn, setTurn] = useState(0);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    if (!invitation.ok) return;
    let over = false;
    setSeen({ kind: 'asking' });
    look(invitation).then(
      (found) => !over && setSeen({ kind: 'seen', look: found, invitation }),
      (error: unknown) => !over && setSeen({ kind: 'none', sentence: errorSentence(error, say.theServerDidNotAnswer) }),
    );
    return () => {
      over = true;
    };
  }, [invitation, turn]);
  const again = (): void => setTurn((old) => old + 1);

  return (
    <section class="look form" aria-labelledby="look-title">
      <h1 id="look-title" ref={heading} tabIndex={-1}>
        {seen.kind === 'seen' ? seen.look.title : say.joinASession}
      </h1>
      <div role="status">
        {seen.kind === 'asking' && <p class="lead">{say.lookingAtWhat}</p>}
        {seen.kind === 'seen' && <p class="lead">{say.asksYouToFineTune(seen.look.hostName)}</p>}
      </div>
      {seen.kind === 'none' && (
        <CodeAgain
          invited={invited}
          invitation={invitation}
          sentence={seen.sentence}
          onAgain={again}
          onInvitation={(read) => {
            setInvitation(read);
            onInvited(read);
          }}
        />
      )}
      {seen.kind === 'seen' && (
        <Found seen={seen} name={name} onName={onName} busy={busy} onAgain={again} onJoin={onJoin} />
      )}
    </section>
  );
}

const firstSeen = (invitation: Invitation): Seen =>
  invitation.ok ? { kind: 'asking' } : { kind: 'none', sentence: invitation.sentence };

interface CodeAgainProps {
  readonly invited: string;
  readonly invitation: Invitation;
  readonly sentence: string;
  readonly onAgain: () => void;
  readonly onInvitation: (read: Extract<Invitation, { ok: true }>) => void;
}

/** The code as it stood, with what is wrong with it. */
function CodeAgain({ invited, invitation, sentence, onAgain, onInvitation }: CodeAgainProps) {
  const given = invitation.ok ? invitation.room : invited;
  const [code, setCode] = useState(given);
  const [said, setSaid] = useState<string | null>(sentence);
  useEffect(() => setSaid(sentence), [sentence]);
  const field = useRef<HTMLFormElement>(null);
  useEffect(() => field.current?.querySelector('input')?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    const read = readInvitation(code);
    if (invitation.ok && code === given) onAgain();
    else if (read.ok) onInvitation(read);
    else {
      setSaid(read.sentence);
      field.current?.querySelector('input')?.focus();
    }
  };
  return (
    <form class="form" ref={field} onSubmit={submit} noValidate>
      <TextField
        name="code"
        label={say.codeOrLink}
        value={code}
        code
        problem={said ?? undefined}
        onValue={(typed) => {
          setCode(typed);
          setSaid(null);
        }}
      />
      <div class="buttons">
        <button class="primary" type="submit">
          {invitation.ok && code === given ? say.tryAgain : say.look}
        </button>
      </div>
    </form>
  );
}

interface FoundProps extends Pick<LookProps, 'name' | 'onName' | 'busy' | 'onJoin'> {
  readonly seen: Extract<Seen, { kind: 'seen' }>;
  readonly onAgain: () => void;
}

function Found({ seen: { look, invitation }, name, onName, busy, onAgain, onJoin }: FoundProps) {
  const [tried, setTried] = useState(false);
  const [slowdown, setSlowdown] = useState('1');
  // A tab that the system has ended, or that was loaded again, is to take no more than before.
  const [memory, setMemory] = useState(recall(MEMORY_KEY) ?? '');
  const [engine, setEngine] = useState<EngineChoice>('auto');
  const element = useRef<HTMLFormElement>(null);
  const nameProblem = checkName(name) ?? undefined;
  const factor = Number(slowdown.replace(',', '.'));
  const slowProblem = factor >= 1 && factor <= 100 ? undefined : say.theSlowDownMust;
  const given = readMemory(memory);
  const way = wayIn(look);

  const join = (watch: boolean) => (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (nameProblem === undefined && slowProblem === undefined && given.ok) {
      remember(MEMORY_KEY, memory.trim());
      // A wrong secret opens nothing; the code alone brings a device to the door.
      onJoin({
        invitation: look.pass === 'wrong' ? { ...invitation, secret: null } : invitation,
        hostName: look.hostName,
        name: name.trim(),
        watch,
        slowdown: factor,
        ...(given.bytes !== null && { memoryBytes: given.bytes }),
        ...(engine !== 'auto' && { engine }),
      });
    } else requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('.field-wrong input')?.focus());
  };

  return (
    <form class="form" ref={element} onSubmit={join(false)} noValidate aria-labelledby="look-title">
      {way !== 'closed' && (
        <TextField
          name="name"
          label={say.thisDevicesName}
          value={name}
          problem={tried ? nameProblem : undefined}
          onValue={onName}
        />
      )}
      <dl class="facts">
        {lookFacts(look).map(({ what, value }) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Reading sentences={readingAsDevice(look.ownTable)} title="h2" />
      {way !== 'closed' && (
        <details open={memory !== '' || (tried && (!given.ok || slowProblem !== undefined))}>
          <summary>{say.more}</summary>
          <TextField
            name="memory"
            label={MEMORY_LABEL}
            numeric
            value={memory}
            problem={tried && !given.ok ? given.sentence : undefined}
            hint={MEMORY_HINT}
            onValue={setMemory}
          />
          <EngineField value={engine} onValue={setEngine} />
          <TextField
            name="slowdown"
            label={say.slowThisDeviceDown}
            numeric
            value={slowdown}
            problem={tried ? slowProblem : undefined}
            hint={say.toTryThePlannerOut}
            onValue={setSlowdown}
          />
        </details>
      )}
      <div class="look-join">
        <p class={way === 'closed' ? 'way-in problem' : 'way-in'}>{wayInSentence(look)}</p>
        {way === 'closed' ? (
          <div class="buttons">
            <button class="primary" type="button" onClick={onAgain}>
              {say.lookAgain}
            </button>
          </div>
        ) : (
          <div class="buttons">
            <button class="primary" type="submit" {...pressable(busy)}>
              {busy ? say.joining : way === 'in' ? say.join : say.askToJoin}
            </button>
            <button class="plain" type="button" disabled={busy} onClick={join(true)}>
              {way === 'in' ? say.onlyWatch : say.askToWatch}
            </button>
          </div>
        )}
      </div>
    </form>
  );
}
