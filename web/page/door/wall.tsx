import { useEffect, useRef } from 'preact/hooks';
import type { Door, Waiting } from '../../../signaling/protocol/door.ts';
import type { EntranceControls } from '../../session/view/view.ts';
import * as say from '../../words/join/door.ts';
import { Swatch } from '../cloth/cloth-legend.tsx';
import { markFor, type Seats } from '../cloth/marks.ts';
import { CODE_WORDS, inTitle } from './door-words.ts';
import { QrCode } from './qr-code.tsx';
import { WaitingList } from './waiting-list.tsx';

/** Who is in, or stands at the door. */
export interface Guests {
  /** All that are in, those who only watch included. */
  readonly devices: readonly { readonly id: string; readonly name: string }[];
  readonly waiting: readonly Waiting[];
  readonly seats: Seats;
}

interface WallProps {
  readonly room: string;
  readonly link: string;
  readonly door: Door;
  readonly cap: number;
  readonly entrance: EntranceControls;
  readonly guests: Guests;
  readonly onClose: () => void;
}

/** The invitation as large as the window, for a room to point its phones at: who has come, and who asks to. */
export function Wall({ room, link, door, cap, entrance, guests, onClose }: WallProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Who locks the door here opens it again as it was; one that was locked before, to whom the host lets in.
  const before = useRef<Door>(door === 'locked' ? 'ask' : door);
  if (door !== 'locked') before.current = door;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    // Not on the first button: who presses Enter has read nothing yet.
    title.current?.focus();
  }, []);
  return (
    <dialog class="wall" ref={dialog} aria-labelledby="wall-title" onClose={onClose}>
      <div class="wall-inside">
        <QrCode text={link} />
        <div class="wall-words">
          <h2 id="wall-title" ref={title} tabIndex={-1}>
            {say.joinWithYourPhone}
          </h2>
          <p class="wall-code">
            {say.code} <span class="code">{room}</span>
            <span class="field-hint">{CODE_WORDS[door]}</span>
          </p>
          <WaitingList waiting={guests.waiting} entrance={entrance} id="wall-waiting" />
          <section aria-labelledby="wall-in">
            <h3 id="wall-in">{inTitle(guests.devices.length, cap)}</h3>
            <ul class="wall-names" aria-live="polite">
              {guests.devices.map(({ id, name }) => (
                <li key={id}>
                  {guests.seats.includes(id) ? (
                    <Swatch {...markFor(guests.seats, id)} />
                  ) : (
                    <span class="chip chip-none" aria-hidden="true" />
                  )}
                  <span>{name}</span>
                </li>
              ))}
            </ul>
          </section>
          <div class="buttons">
            <button
              type="button"
              aria-pressed={door === 'locked'}
              onClick={() => entrance.set(door === 'locked' ? before.current : 'locked', cap)}
            >
              {door === 'locked' ? say.openTheDoorAgain : say.lockTheDoor}
            </button>
            <button type="button" class="plain" onClick={() => dialog.current?.close()}>
              {say.close}
            </button>
          </div>
        </div>
      </div>
    </dialog>
  );
}
