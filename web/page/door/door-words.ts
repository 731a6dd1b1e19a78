import { DOORS, type Door, type Waiting } from '../../../signaling/protocol/door.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';
import * as say from '../../words/join/door.ts';

/** What a host may choose, and what each is good for. */
export const DOOR_WORDS: Readonly<Record<Door, { readonly label: string; readonly hint: string }>> = {
  link: {
    label: say.whoeverHasTheLink,
    hint: say.theLinkOrItsQr,
  },
  ask: { label: say.whomILet, hint: say.linkOrCodeBring },
  open: { label: say.whoeverHasTheCode, hint: say.linkOrCodeLet },
  locked: { label: say.nobodyNew, hint: say.neitherLinkNorCodeLets },
};

export const isDoor = (text: string): text is Door => DOORS.some((door) => door === text);

/** What the code alone is good for, beside it on the host's screen. */
export const CODE_WORDS: Readonly<Record<Door, string>> = {
  link: say.toReadOutWhoeverTypes,
  ask: say.toReadOutWhoeverTypes,
  open: say.toReadOutItLets,
  locked: say.isOfNoUseWhile,
};

export const waitingTitle = (count: number): string =>
  say.atYourDoor(countText(count, say.deviceWaits, say.devicesWait));

/** Over the names of those who are in: "3 of at most 64 are in". */
export const inTitle = (count: number, cap: number): string => say.ofAtMost(count, cap, count === 1 ? 'is' : 'are');

/** What the host should know of somebody at the door. */
export function waitingWords({ withPass, watch, likeRemoved }: Waiting): string {
  const has = withPass ? say.hasYourLink : say.hasTheCodeAloneNot;
  const wants = watch ? say.andWantsToWatchOnly : '';
  const warning = likeRemoved ? say.aDeviceThatYouRemoved : '';
  return `${has}${wants}${warning}`;
}

/** "123 456": as people read digits out. */
export const spacedDigits = (digits: string): string => digits.replace(/(?<=^\d{3})(?=\d)/, ' ');
