import { useEffect } from 'preact/hooks';
import type { SessionView } from '../../session/view/view.ts';
import { recall, remember } from '../parts/remember.ts';
import { type Measured, measuredOf, readMeasured } from './measured.ts';

const KEY = 'tabloom.measured';

/** Remembers what this device measured of itself, for the estimate before its next session. */
export function useMeasured(view: SessionView): void {
  const { room, self } = view;
  const profile = room?.devices.find(({ id }) => id === self)?.profile ?? null;
  useEffect(() => {
    const measured = profile === null ? null : measuredOf({ room, self }, Date.now());
    if (measured !== null) remember(KEY, JSON.stringify(measured));
  }, [profile]);
}

export const recallMeasured = (): Measured | null => readMeasured(recall(KEY));
