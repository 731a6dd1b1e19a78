/** Part of a room's compute that audits take unless its host says otherwise: a device that begins to lie is found within 24 of its rounds. */
export const DEFAULT_AUDITS = 0.08;
/** Of a device's rounds every second one is then audited in the mean; more would be as much again as the training itself. */
export const MAX_AUDITS = 0.5;
/** With less a liar goes on for longer than what can be undone. */
export const MIN_AUDITS = 0.01;

/** What a person wrote: `off`, or a part of the compute such as 0.08; null where it is neither. */
export function readAudits(text: string): number | null {
  if (text === 'off') return 0;
  const share = Number(text);
  return text.trim() !== '' && share >= MIN_AUDITS && share <= MAX_AUDITS ? share : null;
}
