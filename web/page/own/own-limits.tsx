import { useEffect, useRef, useState } from 'preact/hooks';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { JoinedSession, SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/own.ts';
import { TextField } from '../parts/field.tsx';
import { recall, remember } from '../parts/remember.ts';
import {
  besideBytes,
  type Limits,
  limitsText,
  moved,
  NOTHING_MOVED,
  parseLimits,
  readMegabytes,
  restReason,
} from './limits.ts';
import { type Battery, useBattery } from './phone.ts';

const KEY = 'tabloom.limits';

export interface OwnLimits {
  readonly limits: Limits;
  readonly usedBytes: number;
  readonly battery: Battery | null;
  /** Why the device rests; null while it may work. */
  readonly reason: string | null;
  readonly choose: (limits: Limits) => void;
}

/** Keeps a joined device within what its person allows: it rests beyond, and goes on by itself. What its person paused stays so. */
export function useLimits(view: SessionView, session: JoinedSession | null): OwnLimits {
  const battery = useBattery();
  const [limits, setLimits] = useState(() => parseLimits(recall(KEY)));
  const counted = useRef(NOTHING_MOVED);
  counted.current = moved(counted.current, view.links[view.self]?.movedBytes ?? null);
  const usedBytes = counted.current.totalBytes + besideBytes(view);
  const reason = session === null ? null : restReason(limits, usedBytes, battery);
  const rests = useRef(false);
  const { kind } = view.status;
  useEffect(() => {
    if (session === null) return;
    if (reason !== null && kind === 'ready') {
      rests.current = true;
      session.rest(true);
    } else if (reason === null && rests.current && kind === 'paused') {
      rests.current = false;
      session.rest(false);
    }
  }, [session, reason !== null, kind]);
  const choose = (chosen: Limits): void => {
    remember(KEY, limitsText(chosen));
    setLimits(chosen);
  };
  return { limits, usedBytes, battery, reason, choose };
}

/** What a person allows, and what is used of it. */
export function LimitsFold({ limits, usedBytes, battery, choose }: OwnLimits) {
  const [typed, setTyped] = useState(limits.dataMegabytes === null ? '' : String(limits.dataMegabytes));
  const read = readMegabytes(typed);
  return (
    <details class="fold own-limits" data-fold="limits">
      <summary>{say.whatThisDeviceMayUse}</summary>
      <TextField
        label={say.dataForThisSession}
        name="dataMegabytes"
        value={typed}
        numeric
        hint={say.bothDirectionsTogetherEmpty(bytesText(usedBytes))}
        problem={'sentence' in read ? read.sentence : undefined}
        onValue={(text) => {
          setTyped(text);
          const now = readMegabytes(text);
          if ('megabytes' in now) choose({ ...limits, dataMegabytes: now.megabytes });
        }}
      />
      {battery !== null && (
        <label class="check">
          <input
            type="checkbox"
            name="onlyCharging"
            checked={limits.onlyCharging}
            onChange={(event) => choose({ ...limits, onlyCharging: event.currentTarget.checked })}
          />
          {say.onlyWhileItIsCharging}
        </label>
      )}
    </details>
  );
}
