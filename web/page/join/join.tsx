import { useId, useRef, useState } from 'preact/hooks';
import { readInvitation } from '../../session/links/link-address.ts';
import type { InvitedTo } from '../../session/view/view.ts';
import * as say from '../../words/join/join.ts';
import { TextField } from '../parts/field.tsx';

/** The way in for who has a code or a link: what it leads to is shown before anybody joins it. */
export function JoinForm({ onInvited }: { onInvited: (invitation: InvitedTo) => void }) {
  const [code, setCode] = useState('');
  const [tried, setTried] = useState(false);
  const element = useRef<HTMLFormElement>(null);
  const title = useId();
  const read = readInvitation(code);

  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    if (read.ok) onInvited(read);
    else element.current?.querySelector('input')?.focus();
  };

  return (
    <form class="form" ref={element} onSubmit={submit} noValidate aria-labelledby={title}>
      <h2 id={title}>{say.joinASession}</h2>
      <TextField
        name="code"
        label={say.codeOrLink}
        value={code}
        code
        hint={say.theWholeLink}
        problem={tried && !read.ok ? read.sentence : undefined}
        onValue={setCode}
      />
      <div class="buttons">
        <button type="submit">{say.lookAtItFirst}</button>
      </div>
    </form>
  );
}
