import type { Profile } from './profile.ts';
import type { SessionSettings } from './settings.ts';

/** What evaluations may take of the time of a session, beside what devices have left over. */
export const EVALUATION_SHARE = 0.1;

/** Seconds of a forward pass through the whole model, for each token: devices timed themselves at `roundTokens` tokens a sample. */
export function forwardSecondsPerToken(
  { secondsPerSample }: Pick<Profile, 'secondsPerSample'>,
  { shape, task }: Pick<SessionSettings, 'shape' | 'task'>,
): number {
  const { embed, forwardPerLayer, head } = secondsPerSample;
  return (embed + shape.layers * forwardPerLayer + head) / task.roundTokens;
}
