/**
 * What tabs, processes and servers of different releases say to each other carries a version, and is refused in words where it differs:
 * a server that was brought up to date meets tabs that were not, and the other way round.
 */

/**
 * Of all messages, on the control connection and on data links. One more whenever an older side would misread a newer one. Release 0.1.0
 * spoke version 1 and did not say so.
 */
export const PROTOCOL_VERSION = 3;

/** Of `SessionSettings`; one more whenever their meaning changes or a field is added that a device must not overlook. */
export const SETTINGS_VERSION = 2;

/** What a person can do when `theirs`, null where none was told, is not `PROTOCOL_VERSION`; null when the two agree. `other` begins the sentence. */
export function versionProblem(theirs: number | null, other: string): string | null {
  if (theirs === PROTOCOL_VERSION) return null;
  return theirs !== null && theirs > PROTOCOL_VERSION
    ? `${other} is newer than this page. Reload this page; if that does not help, update this copy of Tabloom.`
    : `${other} is older than this page. It has to be reloaded or updated before the two can work together.`;
}
