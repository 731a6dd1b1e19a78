import type { HostSession, SessionView } from '../../session/view/view.ts';
import { Confirmed } from '../parts/confirmed.tsx';
import { startObstacle } from './headline.ts';

/** What this person may do now. */
export function Controls({
  view,
  host,
  onLeave,
  onBack,
}: {
  view: SessionView;
  host: HostSession | null;
  onLeave: () => void;
  onBack: () => void;
}) {
  const { room } = view;
  if (view.ended !== null)
    return (
      <div class="buttons">
        <button class="primary" type="button" onClick={onBack}>
          {room === null && host === null ? 'Back' : 'Back to the start'}
        </button>
      </div>
    );
  const obstacle = room === null ? null : startObstacle(room);
  return (
    <div class="buttons">
      {host !== null && room !== null && room.phase !== 'finished' && (
        <GoButton phase={room.phase} obstacle={obstacle} host={host} />
      )}
      {host !== null && (room?.phase === 'training' || room?.phase === 'paused') && (
        <Confirmed
          label="Finish now"
          question="Finish after this round?"
          yes="Finish"
          no="Keep going"
          onYes={() => host.finish()}
        />
      )}
      {room === null && (
        <button class="plain" type="button" onClick={onLeave}>
          {view.atDoor === null ? 'Cancel' : 'Do not wait'}
        </button>
      )}
      {host !== null && (room?.phase === 'gathering' || room?.phase === 'paused') && obstacle !== null && (
        <p class="buttons-note" id="start-obstacle">
          {obstacle}
        </p>
      )}
      {host === null && room?.phase === 'gathering' && <p class="buttons-note">The host starts the training.</p>}
    </div>
  );
}

const GO_WORDS = { gathering: 'Start training', training: 'Pause', paused: 'Go on' } as const;

/** One button through all of them: who pressed it has the focus on what can be pressed next. */
function GoButton({
  phase,
  obstacle,
  host,
}: {
  phase: keyof typeof GO_WORDS;
  obstacle: string | null;
  host: HostSession;
}) {
  const going = phase === 'training';
  const held = !going && obstacle !== null;
  return (
    <button
      class={going ? '' : 'primary'}
      type="button"
      disabled={held}
      aria-describedby={held ? 'start-obstacle' : undefined}
      onClick={() => (going ? host.pause() : host.start())}
    >
      {GO_WORDS[phase]}
    </button>
  );
}

/** At the end of the page: out of the way of what is pressed more often. */
export function Leave({ host, onLeave }: { host: boolean; onLeave: () => void }) {
  return (
    <div class="buttons">
      {host ? (
        <Confirmed
          label="End the session"
          question="End it for everyone?"
          yes="End it"
          no="Keep going"
          onYes={onLeave}
        />
      ) : (
        <button class="plain" type="button" onClick={onLeave}>
          Leave the session
        </button>
      )}
    </div>
  );
}
