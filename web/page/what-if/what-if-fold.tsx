import { useEffect, useMemo, useState } from 'preact/hooks';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { RoomView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import { POLICIES } from '../../../signaling/protocol/settings.ts';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import { capitalised } from '../../../signaling/protocol/words/lists.ts';
import { POLICY_WORDS } from '../../../signaling/protocol/words/policies.ts';
import type { AskPlanner } from '../../session/view/what-if.ts';
import * as say from '../../words/watch/what-if.ts';
import { cloth } from '../cloth/cloth.ts';
import { ClothPicture } from '../cloth/cloth-picture.tsx';
import { type Seats, seated } from '../cloth/marks.ts';
import { isPolicy } from '../parts/choices.ts';
import { SelectField } from '../parts/field.tsx';
import { pipelines } from '../pipeline/pipeline.ts';
import { SplitPicture } from '../pipeline/split-picture.tsx';
import {
  asItIs,
  comparedSentence,
  factorText,
  LEAST_FACTOR,
  MOST_FACTOR,
  PRESETS,
  questionOf,
  roomOf,
  type Supposed,
  type WhatIf,
  withDevice,
  withPreset,
} from './what-if.ts';

/** So long after the last change the planner is asked. */
const SETTLED_MS = 200;

interface WhatIfProps {
  readonly room: RoomView;
  readonly self: string;
  readonly seats: Seats;
  readonly rounds: readonly RoundReport[];
  readonly ask: AskPlanner;
}

/** What the plan would be in another room than this one; anybody may try, nothing of it is told to anybody. */
export function WhatIfPanel({ room, self, seats, rounds, ask }: WhatIfProps) {
  const [what, setWhat] = useState<WhatIf>(() => asItIs(room));
  const [answer, setAnswer] = useState<{ plan: RoomPlan; of: WhatIf } | null>(null);
  const [file, setFile] = useState('');
  const [said, setSaid] = useState('');
  useEffect(() => {
    let over = false;
    const timer = setTimeout(() => {
      ask(questionOf(what, room, rounds)).then(
        (found) => {
          if (over) return;
          setAnswer(found.feasible ? { plan: found.plan, of: what } : null);
          setFile(found.file);
          setSaid(found.feasible ? '' : found.reason);
        },
        (error: unknown) => {
          if (!over) setSaid(errorSentence(error, say.thePlannerDidNotAnswer));
        },
      );
    }, SETTLED_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
    // The room as it was when it was asked: what happens there meanwhile changes nothing here.
  }, [what, ask]);
  const now = room.plan?.latencySeconds ?? null;
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(file);
      setSaid(say.copiedSave);
    } catch {
      setSaid(say.thisBrowserDoesNotLet);
    }
  };
  return (
    <div class="what-if">
      <p class="field-hint">{say.whatWould}</p>
      {answer !== null && <Answer answer={answer} now={now} room={room} self={self} seats={seats} />}
      <p role="status" class="limit">
        {said}
      </p>
      <ul class="supposed">
        {what.devices.map((one) => (
          <SupposedDevice key={one.id} one={one} onChange={(change) => setWhat(withDevice(what, one.id, change))} />
        ))}
      </ul>
      <div class="buttons">
        {PRESETS.map((preset) => (
          <button key={preset.kind} type="button" onClick={() => setWhat(withPreset(what, preset))}>
            + {preset.kind}
          </button>
        ))}
      </div>
      <div class="pair">
        <label class="field">
          {say.samplesARound(what.samples)}
          <input
            type="range"
            min={1}
            max={128}
            value={what.samples}
            onInput={(event) => setWhat({ ...what, samples: Number(event.currentTarget.value) })}
          />
        </label>
        <SelectField
          name="whatif-policy"
          label={say.policyInThisTrial}
          value={what.policy}
          options={POLICIES.map((value) => ({ value, label: POLICY_WORDS[value].label }))}
          onValue={(policy) => isPolicy(policy) && setWhat({ ...what, policy })}
        />
      </div>
      <div class="buttons">
        <button type="button" onClick={() => setWhat(asItIs(room))}>
          {say.asIt}
        </button>
        <button type="button" class="plain" onClick={() => void copy()}>
          {say.copyAsAPlanFile}
        </button>
      </div>
    </div>
  );
}

function Answer({
  answer,
  now,
  room,
  self,
  seats,
}: {
  answer: { plan: RoomPlan; of: WhatIf };
  now: number | null;
  room: RoomView;
  self: string;
  seats: Seats;
}) {
  const shown = useMemo(() => {
    const other = roomOf(answer.of, room, answer.plan);
    const places = seated(seats, [
      ...new Set([...seats.filter((id) => id !== null), ...other.devices.map(({ id }) => id)]),
    ]);
    return {
      split: pipelines({ room: other, self, seats: places }),
      cloth: cloth({ room: other, self, rounds: [], activity: null, seats: places, against: room.plan }),
    };
  }, [answer, room.plan, self, seats]);
  return (
    <>
      <p class="what-if-seconds">{comparedSentence(now, answer.plan.latencySeconds)}</p>
      {shown.split === null ? (
        <ClothPicture name={say.clothPictureOfWhatWouldBe} cloth={shown.cloth} sentence={say.thePlanOfTheRoom} />
      ) : (
        <SplitPicture split={shown.split} running={false} />
      )}
      {answer.plan.explanation !== '' && <p class="limit">{capitalised(answer.plan.explanation)}</p>}
    </>
  );
}

const SLIDERS = [
  ['speed', say.speed],
  ['memory', say.memory],
  ['uplink', say.uplink],
] as const;

/** Every step doubles or halves. */
const STEPS = Math.log2(MOST_FACTOR / LEAST_FACTOR);
const toStep = (factor: number): number => Math.log2(factor / LEAST_FACTOR);
const toFactor = (step: number): number => LEAST_FACTOR * 2 ** step;

function SupposedDevice({ one, onChange }: { one: Supposed; onChange: (change: Partial<Supposed>) => void }) {
  return (
    <li>
      <label class="check">
        <input
          type="checkbox"
          checked={one.here}
          onChange={(event) => onChange({ here: event.currentTarget.checked })}
        />
        {one.name}
      </label>
      {one.here && (
        <div class="sliders">
          {SLIDERS.map(([key, label]) => (
            <label key={key}>
              {label} {factorText(one[key])}
              <input
                type="range"
                aria-label={say.sliderOf(label, one.name)}
                min={0}
                max={STEPS}
                step={1}
                value={toStep(one[key])}
                onInput={(event) => onChange({ [key]: toFactor(Number(event.currentTarget.value)) })}
              />
            </label>
          ))}
        </div>
      )}
    </li>
  );
}
