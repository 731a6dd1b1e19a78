import { useEffect, useState } from 'preact/hooks';
import { DOORS, type Door } from '../../../signaling/protocol/door.ts';
import { MAX_DEVICES_IN_ROOM } from '../../../signaling/protocol/limits.ts';
import type { EntranceControls } from '../../session/view/view.ts';
import * as say from '../../words/join/door.ts';
import { SelectField, TextField } from '../parts/field.tsx';
import { DOOR_WORDS, isDoor } from './door-words.ts';

interface DoorChoiceProps {
  readonly door: Door;
  readonly cap: number;
  readonly entrance: EntranceControls;
}

const MIN_DEVICES = 2;

/** Who may come into the host's session, and how many. */
export function DoorChoice({ door, cap, entrance }: DoorChoiceProps) {
  const [typed, setTyped] = useState(String(cap));
  useEffect(() => setTyped(String(cap)), [cap]);
  const wanted = Number(typed);
  const right = /^\d+$/.test(typed.trim()) && wanted >= MIN_DEVICES && wanted <= MAX_DEVICES_IN_ROOM;
  return (
    <details class="fold" data-fold="door">
      <summary>
        {say.whoMayCome} <span class="summary-note">{DOOR_WORDS[door].label.toLowerCase()}</span>
      </summary>
      <SelectField
        name="door"
        label={say.whoMayCome}
        value={door}
        hint={DOOR_WORDS[door].hint}
        options={DOORS.map((value) => ({ value, label: DOOR_WORDS[value].label }))}
        onValue={(value) => isDoor(value) && entrance.set(value, cap)}
      />
      {/* Taken when it is complete: half a number would turn devices away. */}
      <div class="cap" onChange={() => right && wanted !== cap && entrance.set(door, wanted)}>
        <TextField
          name="cap"
          label={say.devicesAtMost}
          numeric
          value={typed}
          hint={say.yoursIsAmongThemNobody}
          problem={right ? undefined : say.chooseANumber(MIN_DEVICES, MAX_DEVICES_IN_ROOM)}
          onValue={setTyped}
        />
      </div>
    </details>
  );
}
