import type { HostSession, SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/session.ts';
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
          {room === null && host === null ? say.back : say.backToTheStart}
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
          label={say.finishNow}
          question={say.finishAfterThisRound}
          yes={say.finish}
          no={say.keepGoing}
          onYes={() => host.finish()}
        />
      )}
      {room === null && (
        <button class="plain" type="button" onClick={onLeave}>
          {view.atDoor === null ? say.cancel : say.doNotWait}
        </button>
      )}
      {host !== null && (room?.phase === 'gathering' || room?.phase === 'paused') && obstacle !== null && (
        <p class="buttons-note" id="start-obstacle">
          {obstacle}
        </p>
      )}
      {host === null && room?.phase === 'gathering' && <p class="buttons-note">{say.theHostStartsTheTraining}</p>}
    </div>
  );
}

const GO_WORDS = { gathering: say.startTraining, training: say.pause, paused: say.goOn } as const;

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
          label={say.endTheSession}
          question={say.endItForEveryone}
          yes={say.endIt}
          no={say.keepGoing}
          onYes={onLeave}
        />
      ) : (
        <button class="plain" type="button" onClick={onLeave}>
          {say.leaveTheSession}
        </button>
      )}
    </div>
  );
}
