import { ROOM_ID_ALPHABET, ROOM_ID_LENGTH, type RoomId } from '../../../signaling/protocol/ids.ts';

/** The link that others open: the code stands in the fragment, which no server ever sees. */
export function roomLink(origin: string, room: RoomId): string {
  return `${origin.replace(/\/+$/, '')}/#room=${room}`;
}

export type RoomCode = { readonly ok: true; readonly room: RoomId } | { readonly ok: false; readonly sentence: string };

/**
 * Reads what a person typed or pasted as a room: a code ("abc234", "ABC 234", "abc-234") or a whole link. Codes never hold
 * 0, o, 1, l or i, so a mistyped one is refused here rather than looked up.
 */
export function readRoomCode(text: string): RoomCode {
  const typed = text.trim();
  if (typed === '') return { ok: false, sentence: 'Type the six characters of the code, or paste the whole link.' };
  const marked = /[#?&]room=([^&\s]*)/i.exec(typed);
  if (marked === null && /[/.#]/.test(typed))
    return {
      ok: false,
      sentence: 'This link has no room code in it; a session link ends in #room= and six characters.',
    };
  const code = (marked === null ? typed : unescaped(marked[1] ?? '')).replace(/[\s-]+/g, '').toLowerCase();
  if (code === '') return { ok: false, sentence: 'The code after #room= is missing; copy the link again, to its end.' };
  const stranger = Array.from(code).find((character) => !ROOM_ID_ALPHABET.includes(character));
  if (stranger !== undefined) return { ok: false, sentence: strangerSentence(stranger) };
  if (code.length !== ROOM_ID_LENGTH) {
    const have = `this one has ${code.length}`;
    return { ok: false, sentence: `A code has six letters and digits; ${have}. Check it against the host's screen.` };
  }
  return { ok: true, room: code };
}

/** The room in a page address's fragment ("#room=abc234"), or null when the fragment names none. */
export function roomOfFragment(fragment: string): RoomCode | null {
  return /^#.*\broom=/i.test(fragment) ? readRoomCode(fragment) : null;
}

function strangerSentence(character: string): string {
  return /[0o1li]/.test(character)
    ? `Codes hold no 0, o, 1, l or i, so "${character}" must be another character. Check it against the host's screen.`
    : `"${character}" cannot stand in a code: six letters and digits, such as abc234.`;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether a link from this address opens on other devices. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[?::1\]?)$/.test(hostname);
}
