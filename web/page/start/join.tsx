import { useId, useRef, useState } from 'preact/hooks';
import type { Secret } from '../../../signaling/protocol/door/secret.ts';
import { readInvitation } from '../../session/links/link-address.ts';
import { TextField } from '../parts/field.tsx';
import { checkName } from './start-form.ts';

export interface JoinChoice {
  readonly room: string;
  readonly secret: Secret | null;
  readonly name: string;
  readonly watch: boolean;
  readonly slowdown: number;
}

interface JoinProps {
  /** The code of the link that opened the page, or what a person typed before. */
  readonly code: string;
  readonly name: string;
  readonly onName: (name: string) => void;
  /** The link was opened to join: one button, no code to type. */
  readonly invited: boolean;
  readonly busy: boolean;
  readonly onJoin: (choice: JoinChoice) => void;
}

export function JoinForm({ code: given, name, onName, invited, busy, onJoin }: JoinProps) {
  const [code, setCode] = useState(given);
  const [tried, setTried] = useState(given !== '' && !readInvitation(given).ok);
  const [slowdown, setSlowdown] = useState('1');
  const element = useRef<HTMLFormElement>(null);
  const title = useId();
  const read = readInvitation(code);
  const nameProblem = checkName(name) ?? undefined;
  const factor = Number(slowdown.replace(',', '.'));
  const slowProblem = factor >= 1 && factor <= 100 ? undefined : 'The slow-down must be a number from 1 to 100.';
  const known = invited && read.ok;

  const join = (watch: boolean) => (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (read.ok && nameProblem === undefined && slowProblem === undefined)
      onJoin({ room: read.room, secret: read.secret, name: name.trim(), watch, slowdown: factor });
    else requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('.field-wrong input')?.focus());
  };

  return (
    <form class="form" ref={element} onSubmit={join(false)} noValidate aria-labelledby={title}>
      {known ? (
        <>
          <h2 id={title}>
            Join session <span class="code">{read.room}</span>
          </h2>
          <p class="lead">
            Your device will load the model, measure its own speed and train the layers that suit it. Its data stays
            with the host; nothing is installed.
          </p>
        </>
      ) : (
        <>
          <h2 id={title}>Join with a code</h2>
          <TextField
            name="code"
            label="Code or link"
            value={code}
            code
            hint="Six letters and digits from the host’s screen, or the whole link."
            problem={tried && !read.ok ? read.sentence : undefined}
            onValue={setCode}
          />
        </>
      )}
      {(known || (tried && nameProblem !== undefined)) && (
        <TextField
          name="name"
          label="This device’s name"
          value={name}
          problem={tried ? nameProblem : undefined}
          onValue={onName}
        />
      )}
      {known && (
        <details>
          <summary>More</summary>
          <TextField
            name="slowdown"
            label="Slow this device down"
            numeric
            value={slowdown}
            problem={tried ? slowProblem : undefined}
            hint="To try the planner out: 3 makes this device three times slower. 1 is honest."
            onValue={setSlowdown}
          />
        </details>
      )}
      <div class="buttons">
        <button class={invited ? 'primary' : ''} type="submit" disabled={busy}>
          {busy ? 'Joining…' : 'Join'}
        </button>
        <button class="plain" type="button" disabled={busy} onClick={join(true)}>
          Only watch
        </button>
      </div>
    </form>
  );
}
