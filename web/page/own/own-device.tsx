import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { JoinedSession, SessionView } from '../../session/view/view.ts';
import type { ScreenLock } from '../../tab/phone/phone-step.ts';
import * as say from '../../words/watch/own.ts';
import { Swatch } from '../cloth/cloth-legend.tsx';
import { markFor, type Seats } from '../cloth/marks.ts';
import type { Tally } from './given.ts';
import { LimitsFold, type OwnLimits } from './own-limits.tsx';
import { batteryText, givenLines, type Ring, ringOf, SCREEN_TEXT, slowText } from './own-words.ts';
import { slowedDown } from './pace.ts';

/** Who this device is in the picture that everybody sees. */
export function OwnName({ view, room, seats }: { view: SessionView; room: RoomView; seats: Seats }) {
  const { letter, yarn } = markFor(seats, view.self);
  const name = room.devices.find(({ id }) => id === view.self)?.name;
  if (name === undefined) return null;
  return (
    <p class="own-name">
      <Swatch letter={letter} yarn={yarn} />
      <span>
        <span class="visually-hidden">{say.device(letter)} </span>
        {name}
      </span>
    </p>
  );
}

/** The part of a joined device's screen that is about the device alone. */
export function OwnDevice({
  view,
  room,
  tally,
  screen,
  limits,
}: {
  view: SessionView;
  room: RoomView;
  tally: Tally;
  screen: ScreenLock;
  limits: OwnLimits;
}) {
  const times = slowedDown(view.rounds, view.self, room.settings.shape.layers);
  const lines = givenLines(tally, view.self);
  const remarks = [batteryRemark(limits.battery), SCREEN_TEXT[screen]].filter((text) => text !== '');
  return (
    <div class="own-device">
      <RoundRing ring={ringOf(view, room)} />
      {lines.length > 0 && (
        <dl class="own-given" aria-label={say.whatThisDeviceHasGiven}>
          {lines.map(({ what, value }) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {times !== null && <p class="own-hot">{slowText(times)}</p>}
      {remarks.length > 0 && <p class="own-remarks">{remarks.join(' ')}</p>}
      {room.phase !== 'finished' && <LimitsFold {...limits} />}
    </div>
  );
}

const batteryRemark = (battery: Parameters<typeof batteryText>[0] | null): string =>
  battery === null ? '' : `${batteryText(battery)}.`;

const SIZE = 148;
const MIDDLE = SIZE / 2;
const INNER = 54;
const OUTER = 68;

/** This round as a thick ring, all of them as a thin one around it. */
function RoundRing({ ring }: { ring: Ring }) {
  return (
    <svg class="ring" role="img" aria-label={ring.said} width={SIZE} height={SIZE} viewBox={`0 0 ${SIZE} ${SIZE}`}>
      <circle class="ring-rest" cx={MIDDLE} cy={MIDDLE} r={OUTER} />
      <circle class="ring-whole" {...arc(OUTER, ring.whole)} />
      {ring.share !== null && (
        <>
          <circle class="ring-rest ring-thick" cx={MIDDLE} cy={MIDDLE} r={INNER} />
          <circle class="ring-share" {...arc(INNER, ring.share)} />
        </>
      )}
      <text class="ring-centre" x={MIDDLE} y={MIDDLE + 6} text-anchor="middle">
        {ring.centre}
      </text>
      <text class="ring-below" x={MIDDLE} y={MIDDLE + 26} text-anchor="middle">
        {ring.below}
      </text>
    </svg>
  );
}

const arc = (radius: number, share: number) => ({
  cx: MIDDLE,
  cy: MIDDLE,
  r: radius,
  pathLength: 100,
  'stroke-dasharray': `${100 * Math.max(0, Math.min(1, share))} 100`,
  transform: `rotate(-90 ${MIDDLE} ${MIDDLE})`,
});

/** What this device's person may do, where the thumb is. */
export function OwnControls({
  view,
  session,
  reason,
  onLeave,
}: {
  view: SessionView;
  session: JoinedSession;
  /** Why it rests without having been paused; null where it does not. */
  reason: string | null;
  onLeave: () => void;
}) {
  const paused = view.status.kind === 'paused';
  const can = reason === null && (paused || view.status.kind === 'ready');
  const over = view.room?.phase === 'finished';
  return (
    <div class="own-controls">
      {!over && (
        <button
          class={paused ? 'primary' : ''}
          type="button"
          disabled={!can}
          aria-describedby={can ? undefined : 'own-pause-note'}
          onClick={() => session.rest(!paused)}
        >
          {paused ? say.goOn : say.pauseMyDevice}
        </button>
      )}
      <button type="button" onClick={onLeave}>
        {say.leave}
      </button>
      {!over && !can && (
        <span class="visually-hidden" id="own-pause-note">
          {reason ?? say.itCanBePaused}
        </span>
      )}
    </div>
  );
}
