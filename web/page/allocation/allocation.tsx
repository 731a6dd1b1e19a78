import { useMemo, useState } from 'preact/hooks';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { Policy } from '../../../signaling/protocol/settings.ts';
import { errorSentence } from '../../../signaling/protocol/text/plain-error.ts';
import { wholeText } from '../../../signaling/protocol/words/forecast.ts';
import { POLICY_WORDS } from '../../../signaling/protocol/words/policies.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { AskPlanner } from '../../session/view/what-if.ts';
import * as say from '../../words/watch/allocation.ts';
import { cloth } from '../cloth/cloth.ts';
import { ClothLegend } from '../cloth/cloth-legend.tsx';
import { ClothPicture } from '../cloth/cloth-picture.tsx';
import type { Seats } from '../cloth/marks.ts';
import { pipelines } from '../pipeline/pipeline.ts';
import { SplitPicture } from '../pipeline/split-picture.tsx';
import { TAUGHT_BY } from '../what-if/what-if.ts';
import { alternativeBars, quickestSentence } from './alternatives.ts';
import { limitSentences } from './limits.ts';
import { clothSentence, planTable } from './plan-table.ts';
import { PlanTable } from './plan-table-view.tsx';
import { PolicyBars } from './policy-bars.tsx';

interface AllocationProps {
  readonly view: SessionView;
  readonly seats: Seats;
  /** Devices that a late round waits for. */
  readonly late: readonly string[];
  readonly plan: AskPlanner;
  /** Plans by another policy from the next round on; null where that is not this person's to do. */
  readonly onPolicy: ((policy: Policy) => void) | null;
}

/** A policy's plan beside the one in use. */
type Preview =
  | { readonly kind: 'asking'; readonly policy: Policy }
  | { readonly kind: 'shown'; readonly policy: Policy; readonly plan: RoomPlan }
  | { readonly kind: 'failed'; readonly policy: Policy; readonly sentence: string };

/** The plan as a picture, in a sentence on what limits it, beside the other ways that were compared, and as a table. */
export function AllocationSection({ view, seats, late, plan: ask, onPolicy }: AllocationProps) {
  const { room, rounds } = view;
  const [preview, setPreview] = useState<Preview | null>(null);
  // What was looked at was of the room as it was; another plan is what there is to see.
  const version = room?.plan?.version;
  const [seen, setSeen] = useState(version);
  if (seen !== version) {
    setSeen(version);
    setPreview(null);
  }
  // Of plan and rounds alone: passed over where a report of progress comes.
  const table = useMemo(() => {
    const lines = room === null ? [] : planTable(room, rounds, seats);
    return lines.length === 0 ? null : <PlanTable lines={lines} />;
  }, [room, rounds, seats]);
  if (room === null) return null;
  const other = preview?.kind === 'shown' ? preview.plan : null;
  const show = (policy: Policy | null): void => {
    setPreview(policy === null ? null : { kind: 'asking', policy });
    if (policy === null) return;
    const still = (next: Preview) => setPreview((now) => (now?.policy === policy ? next : now));
    ask({
      settings: { ...room.settings, policy },
      host: room.host,
      devices: room.devices.filter(({ status, linked }) => status.kind === 'ready' && linked),
      rounds: rounds.slice(-TAUGHT_BY),
      plan: room.plan,
    }).then(
      (answer) =>
        still(
          answer.feasible
            ? { kind: 'shown', policy, plan: answer.plan }
            : { kind: 'failed', policy, sentence: answer.reason },
        ),
      (error: unknown) => still({ kind: 'failed', policy, sentence: errorSentence(error, say.thePlannerDidNotAnswer) }),
    );
  };
  const bars = alternativeBars(room.plan);
  // Once rounds go on the headline says what is left.
  const whole = rounds.length > 0 ? null : (seconds: number) => wholeText(room, seconds);
  const quickest = room.plan === null ? null : quickestSentence(room.plan);
  return (
    <section class="allocation" aria-labelledby="allocation-title">
      <h2 id="allocation-title">
        {room.plan?.assignments.some(({ stage }) => stage !== undefined) ? say.whoHasWhichPart : say.whoTrainsWhat}
      </h2>
      {preview !== null && (
        <PreviewHead
          preview={preview}
          onAdopt={onPolicy === null ? null : () => onPolicy(preview.policy)}
          onBack={() => setPreview(null)}
        />
      )}
      {other === null ? (
        <PlanPicture view={view} room={room} seats={seats} late={late} />
      ) : (
        <PlanPicture
          view={{ ...view, rounds: NONE, activity: null }}
          room={{ ...room, plan: other, phase: 'gathering' }}
          seats={seats}
          late={NONE}
        />
      )}
      {bars.length > 0 && <PolicyBars bars={bars} previewed={preview?.policy ?? null} whole={whole} onPreview={show} />}
      {quickest !== null && <p class="limit">{quickest}</p>}
      {limitSentences(view, room).map((sentence) => (
        <p key={sentence} class="limit">
          {sentence}
        </p>
      ))}
      {table}
    </section>
  );
}

const NONE: readonly never[] = [];

function PlanPicture({
  view,
  room,
  seats,
  late,
}: {
  view: Pick<SessionView, 'self' | 'rounds' | 'activity' | 'ended'>;
  room: RoomView;
  seats: Seats;
  late: readonly string[];
}) {
  const { self, rounds, activity } = view;
  const split = useMemo(() => pipelines({ room, self, seats, late }), [room, self, seats, late]);
  const picture = useMemo(
    () => (split === null ? cloth({ room, self, rounds, activity, seats, late }) : null),
    [split, room, self, rounds, activity, seats, late],
  );
  if (split !== null) return <SplitPicture split={split} running={room.phase === 'training' && view.ended === null} />;
  if (picture === null) return null;
  return (
    <>
      <ClothPicture cloth={picture} sentence={clothSentence(room)} />
      <ClothLegend bare={picture.rows.some((row) => row.bare)} />
    </>
  );
}

/** Says that what is shown is not what runs. */
function PreviewHead({
  preview,
  onAdopt,
  onBack,
}: {
  preview: Preview;
  onAdopt: (() => void) | null;
  onBack: () => void;
}) {
  const { label } = POLICY_WORDS[preview.policy];
  return (
    <div class="preview-head" role="status">
      <p>
        {preview.kind === 'asking' && say.askingThePlanner(label)}
        {preview.kind === 'failed' && say.cannotBeShown(label, preview.sentence)}
        {preview.kind === 'shown' && say.asItWould(label, secondsText(preview.plan.latencySeconds))}
      </p>
      <div class="buttons">
        {preview.kind === 'shown' && onAdopt !== null && (
          <button type="button" class="primary" onClick={onAdopt}>
            {say.useItFromTheNext}
          </button>
        )}
        <button type="button" onClick={onBack}>
          {say.backToThePlan}
        </button>
      </div>
    </div>
  );
}
