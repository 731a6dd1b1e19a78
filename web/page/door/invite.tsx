import { useRef, useState } from 'preact/hooks';
import type { Secret } from '../../../signaling/protocol/door/secret.ts';
import type { Door } from '../../../signaling/protocol/door.ts';
import { isLoopback, roomLink } from '../../session/links/link-address.ts';
import type { EntranceControls } from '../../session/view/view.ts';
import * as say from '../../words/join/door.ts';
import { DoorChoice } from './door-choice.tsx';
import { CODE_WORDS } from './door-words.ts';
import { QrCode } from './qr-code.tsx';
import { type Guests, Wall } from './wall.tsx';

interface InviteProps {
  readonly room: string;
  readonly secret: Secret;
  readonly door: Door;
  readonly cap: number;
  readonly entrance: EntranceControls;
  readonly guests: Guests;
  readonly origin: string;
  /** Origins under which other machines reach this server, as the server knows them; may be empty. */
  readonly addresses: readonly string[];
}

/** The link in every form that reaches another device: code to read out, link to copy or share, QR to point a phone at. */
export function Invite({ room, secret, door, cap, entrance, guests, origin, addresses }: InviteProps) {
  const loopback = isLoopback(new URL(origin).hostname);
  const link = roomLink(loopback ? (addresses[0] ?? origin) : origin, room, secret);
  const field = useRef<HTMLInputElement>(null);
  const [onWall, setOnWall] = useState(false);
  const [copied, setCopied] = useState<'no' | 'yes' | 'selected'>('no');

  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(link);
      setCopied('yes');
    } catch {
      // No clipboard on plain http from another machine: the older command still works there, and if not, the link is marked.
      field.current?.select();
      setCopied(document.execCommand('copy') ? 'yes' : 'selected');
    }
  };

  return (
    <section class="invite" aria-labelledby="invite-title">
      <h2 id="invite-title">{say.inviteDevices}</h2>
      <div class="invite-body">
        <div class="invite-qr">
          <QrCode text={link} />
          <button type="button" class="plain" onClick={() => setOnWall(true)}>
            {say.fillTheScreen}
          </button>
        </div>
        <div class="invite-words">
          <p class="invite-code">
            {say.code} <span class="code">{room}</span>{' '}
            <span class="field-hint invite-code-use">{CODE_WORDS[door]}</span>
          </p>
          <div class="copy-row">
            <input
              ref={field}
              type="text"
              readOnly
              value={link}
              aria-label={say.sessionLink}
              onFocus={(event) => event.currentTarget.select()}
            />
            <button type="button" onClick={copy}>
              {say.copy}
            </button>
            {typeof navigator.share === 'function' && (
              <button
                type="button"
                onClick={() => void navigator.share({ title: say.tabloomSession, url: link }).catch(() => undefined)}
              >
                {say.share}
              </button>
            )}
          </div>
          <p class="field-hint" role="status">
            {copied === 'yes' ? say.copied : copied === 'selected' ? say.theLinkIsMarkedCopy : ''}
          </p>
          {loopback && addresses.length === 0 && <p class="field-hint">{say.thisLinkOpens}</p>}
        </div>
      </div>
      <DoorChoice door={door} cap={cap} entrance={entrance} />
      {onWall && <Wall {...{ room, link, door, cap, entrance, guests }} onClose={() => setOnWall(false)} />}
    </section>
  );
}
