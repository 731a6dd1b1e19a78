import * as v from 'valibot';
import { SECRET_ALPHABET, SECRET_LENGTH, type Secret, SecretSchema } from '../../../signaling/protocol/door/secret.ts';
import { ROOM_ID_ALPHABET, ROOM_ID_LENGTH, type RoomId } from '../../../signaling/protocol/ids.ts';
import * as say from '../../words/session/links.ts';

/** More than any link, wrapped by whichever messenger; the rest of a longer text is not looked at. */
const MAX_TEXT_LENGTH = 8192;
/** Messengers wrap links in links; each time around, what is special is escaped once more. */
const MAX_WRAPS = 3;
/** A long link is broken at most so often. */
const MAX_BREAKS = 4;

/** The link that others open: code and secret stand in the fragment, which no server ever sees. */
export function roomLink(origin: string, room: RoomId, secret: Secret | null = null): string {
  const link = `${origin.replace(/\/+$/, '')}/#room=${room}`;
  return secret === null ? link : `${link}&secret=${secret}`;
}

/** Secret null: a code alone, which brings a person to the door. */
export type Invitation =
  | { readonly ok: true; readonly room: RoomId; readonly secret: Secret | null }
  | { readonly ok: false; readonly sentence: string };

export type RoomCode = { readonly ok: true; readonly room: RoomId } | { readonly ok: false; readonly sentence: string };

/**
 * Reads what a person typed or pasted: a code ("abc234", "ABC 234", "abc-234"), a link, or a text with a link in it. Messengers and mail
 * break links, escape them, wrap them in links of their own and take the full stop after them for a part of them; what was meant is read
 * all the same, where only one thing can have been. Codes never hold 0, o, 1, l or i, so a mistyped one is refused here rather than looked up.
 */
export function readInvitation(text: string): Invitation {
  const typed = withoutInvisible(text.slice(0, MAX_TEXT_LENGTH)).trim();
  if (trimmed(typed) === '') return refuse(say.typeTheSixCharacters);
  const linked = readLinkIn(typed);
  if (linked !== null) return linked;
  const bare = trimmed(typed);
  if (/[/.#?&=]/.test(bare)) return refuse(say.thisLinkHasNoRoom);
  return readCode(bare.replace(/[\s-]+/g, ''), null);
}

/** The room alone. */
export function readRoomCode(text: string): RoomCode {
  const read = readInvitation(text);
  return read.ok ? { ok: true, room: read.room } : read;
}

/** The invitation in a page address's fragment ("#room=abc234&secret=…"), or null when the fragment names no room. */
export function invitationOfFragment(fragment: string): Invitation | null {
  return /^#.*\broom(=|%3d)/i.test(fragment) ? readInvitation(fragment) : null;
}

export function roomOfFragment(fragment: string): RoomCode | null {
  return invitationOfFragment(fragment) === null ? null : readRoomCode(fragment);
}

const ROOM_MARK = /(?:^|[#?&;\s])room\s*=/i;
/** Also where a link was cut off inside the word. */
const SECRET_MARK = /[#?&;]\s*(?:secret\s*=|s(?:e(?:c(?:r(?:et?)?)?)?)?\s*$)/i;
/** What ends a value: space, the next field, or what people and programs write around links. */
const VALUE = /^\s*([^\s&;,|<>()[\]{}"'`*“”«»]*)/;
/** Where a long word was broken, in a quotation perhaps. */
const BREAK = /\s+(?:>\s*)*/;

/**
 * Of the forms in which a link may be meant, and of the ways in which breaks may have come into it, the first that reads with a secret, or
 * else without; where none does, what is wrong with the form that is written most plainly. Null where there is no link.
 */
function readLinkIn(text: string): Invitation | null {
  let codeAlone: Invitation | null = null;
  let problem: Invitation | null = null;
  for (const form of unwrapped(text)) {
    const words = form.slice(0, Math.max(0, form.search(/[#?]/)));
    let link = form.slice(words.length);
    for (let breaks = 0; breaks <= MAX_BREAKS; breaks++, link = link.replace(BREAK, '')) {
      if (!ROOM_MARK.test(link)) continue;
      const read = readLink(link);
      if (read.ok && read.secret !== null) return read;
      if (read.ok) codeAlone ??= read;
      else if (breaks === 0 || problem === null) problem = read;
    }
  }
  return codeAlone ?? problem;
}

function readLink(form: string): Invitation {
  const after = (mark: RegExp): string | null => {
    const found = mark.exec(form);
    if (found === null) return null;
    const value = VALUE.exec(form.slice(found.index + found[0].length));
    return trimmed(value?.[1] ?? '');
  };
  const code = (after(ROOM_MARK) ?? '').replace(/-/g, '');
  if (code === '') return refuse(say.theCodeAfterRoom);
  return readCode(code, after(SECRET_MARK));
}

function readCode(written: string, secret: string | null): Invitation {
  const code = written.toLowerCase();
  const stranger = Array.from(code).find((character) => !ROOM_ID_ALPHABET.includes(character));
  if (stranger !== undefined) return refuse(strangerSentence(stranger));
  if (code.length !== ROOM_ID_LENGTH) return refuse(say.aCodeHasSixLetters(code.length));
  if (secret === null) return { ok: true, room: code, secret: null };
  const small = secret.toLowerCase();
  const problem = secretProblem(small);
  return problem === null ? { ok: true, room: code, secret: small } : refuse(problem);
}

/** The code alone still brings a person to the door, where the host is asked. */
const COPY_AGAIN = say.copyTheLinkAgain;

function secretProblem(secret: string): string | null {
  if (secret === '') return say.theSecretAfterSecret(COPY_AGAIN);
  const stranger = Array.from(secret).find((character) => !SECRET_ALPHABET.includes(character));
  if (stranger !== undefined) return say.cannotStandInTheSecret(stranger, COPY_AGAIN);
  if (secret.length !== SECRET_LENGTH) return say.theSecretOfALink(SECRET_LENGTH, secret.length, COPY_AGAIN);
  return v.is(SecretSchema, secret) ? null : say.theSecretOfThisLink(COPY_AGAIN);
}

const refuse = (sentence: string): Invitation => ({ ok: false, sentence });

function strangerSentence(character: string): string {
  return /[0o1li]/.test(character) ? say.codesHoldNo0O(character) : say.cannotStandInACode(character);
}

/** Zero-width characters, soft hyphens and direction marks come along when people copy; wide forms of letters are the letters. */
function withoutInvisible(text: string): string {
  return text.normalize('NFKC').replace(/\p{Cf}|\uFE0F/gu, '');
}

/** Without the quotation marks, brackets and stops that people and programs write around a link. */
function trimmed(text: string): string {
  return text.replace(/^(?:(?!%)[\s\p{P}\p{S}])+|[\s\p{P}\p{S}]+$/gu, '');
}

/** The text, and what it is when escapes are undone: %-escapes once or more often, those of HTML, those of mail (quoted-printable). */
function unwrapped(text: string): string[] {
  const forms = [text];
  const add = (form: string): void => {
    if (!forms.includes(form)) forms.push(form);
  };
  for (let wraps = 0; wraps < MAX_WRAPS; wraps++) add(unescaped(forms[forms.length - 1]));
  for (const form of [...forms]) add(form.replace(/&(?:amp|#38|#x26);/gi, '&'));
  for (const form of [...forms]) add(form.replace(/=\r?\n/g, '').replace(/=3d/gi, '='));
  return forms;
}

function unescaped(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** Whether a link from this address opens on other devices. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[?::1\]?)$/.test(hostname);
}
