import { DOORS, type Door, type Waiting } from '../../../signaling/protocol/door.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';

/** What a host may choose, and what each is good for. */
export const DOOR_WORDS: Readonly<Record<Door, { readonly label: string; readonly hint: string }>> = {
  link: {
    label: 'Whoever has the link',
    hint: 'The link, or its QR code, lets a device in at once. The code alone brings it to your door, and you decide.',
  },
  ask: { label: 'Whom I let in', hint: 'Link or code bring a device to your door, and you decide.' },
  open: { label: 'Whoever has the code', hint: 'Link or code let a device in at once. A code can be guessed in time.' },
  locked: { label: 'Nobody new', hint: 'Neither link nor code lets a new device in. Who was in may come back.' },
};

export const isDoor = (text: string): text is Door => DOORS.some((door) => door === text);

/** What the code alone is good for, beside it on the host's screen. */
export const CODE_WORDS: Readonly<Record<Door, string>> = {
  link: 'to read out: whoever types it waits until you let them in',
  ask: 'to read out: whoever types it waits until you let them in',
  open: 'to read out: it lets a device in at once',
  locked: 'is of no use while nobody new may come in',
};

export const waitingTitle = (count: number): string =>
  `${countText(count, 'device waits', 'devices wait')} at your door`;

/** Over the names of those who are in: "3 of at most 64 are in". */
export const inTitle = (count: number, cap: number): string =>
  `${count} of at most ${cap} ${count === 1 ? 'is' : 'are'} in`;

/** What the host should know of somebody at the door. */
export function waitingWords({ withPass, watch, likeRemoved }: Waiting): string {
  const has = withPass ? 'has your link' : 'has the code alone, not your link';
  const wants = watch ? ', and wants to watch only' : '';
  const warning = likeRemoved ? '. A device that you removed came from the same address' : '';
  return `${has}${wants}${warning}`;
}

/** "123 456": as people read digits out. */
export const spacedDigits = (digits: string): string => digits.replace(/(?<=^\d{3})(?=\d)/, ' ');
