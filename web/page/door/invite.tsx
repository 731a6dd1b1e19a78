import { useEffect, useRef, useState } from 'preact/hooks';
import type { Secret } from '../../../signaling/protocol/door/secret.ts';
import type { Door } from '../../../signaling/protocol/door.ts';
import { isLoopback, roomLink } from '../../session/links/link-address.ts';
import type { EntranceControls } from '../../session/view/view.ts';
import { DoorChoice } from './door-choice.tsx';
import { CODE_WORDS } from './door-words.ts';

interface InviteProps {
  readonly room: string;
  readonly secret: Secret;
  readonly door: Door;
  readonly cap: number;
  readonly entrance: EntranceControls;
  readonly origin: string;
  /** Origins under which other machines reach this server, as the server knows them; may be empty. */
  readonly addresses: readonly string[];
}

/** The link in every form that reaches another device: code to read out, link to copy or share, QR to point a phone at. */
export function Invite({ room, secret, door, cap, entrance, origin, addresses }: InviteProps) {
  const loopback = isLoopback(new URL(origin).hostname);
  const link = roomLink(loopback ? (addresses[0] ?? origin) : origin, room, secret);
  const field = useRef<HTMLInputElement>(null);
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
      <h2 id="invite-title">Invite devices</h2>
      <div class="invite-body">
        <QrCode text={link} />
        <div class="invite-words">
          <p class="invite-code">
            Code <span class="code">{room}</span> <span class="field-hint invite-code-use">{CODE_WORDS[door]}</span>
          </p>
          <div class="copy-row">
            <input
              ref={field}
              type="text"
              readOnly
              value={link}
              aria-label="Session link"
              onFocus={(event) => event.currentTarget.select()}
            />
            <button type="button" onClick={copy}>
              Copy
            </button>
            {typeof navigator.share === 'function' && (
              <button
                type="button"
                onClick={() => void navigator.share({ title: 'Tabloom session', url: link }).catch(() => undefined)}
              >
                Share
              </button>
            )}
          </div>
          <p class="field-hint" role="status">
            {copied === 'yes'
              ? 'Copied.'
              : copied === 'selected'
                ? 'The link is marked; copy it with your keyboard.'
                : ''}
          </p>
          {loopback && addresses.length === 0 && (
            <p class="field-hint">
              This link opens on this computer only. To invite others, start the server with --host 0.0.0.0 and open the
              page under the address that it prints.
            </p>
          )}
        </div>
      </div>
      <DoorChoice door={door} cap={cap} entrance={entrance} />
    </section>
  );
}

/** Dark modules on white in either colour scheme, with the four modules of quiet zone that ISO/IEC 18004 asks for. */
function QrCode({ text }: { text: string }) {
  const [path, setPath] = useState<{ d: string; size: number } | null>(null);
  useEffect(() => {
    let over = false;
    void import('lean-qr').then(({ generate }) => {
      const code = generate(text);
      let d = '';
      for (let y = 0; y < code.size; y++)
        for (let x = 0; x < code.size; x++) if (code.get(x, y)) d += `M${x + 4} ${y + 4}h1v1h-1z`;
      if (!over) setPath({ d, size: code.size + 8 });
    });
    return () => {
      over = true;
    };
  }, [text]);
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${path?.size ?? 33} ${path?.size ?? 33}`}
      role="img"
      aria-label="QR code of the session’s link"
      shape-rendering="crispEdges"
    >
      <rect width="100%" height="100%" fill="#fff" />
      {path !== null && <path d={path.d} fill="#111" />}
    </svg>
  );
}
