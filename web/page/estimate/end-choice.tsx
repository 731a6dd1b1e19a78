import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { type End, endText, possibleEnds } from '../../../signaling/protocol/words/ends.ts';
import { timeLeftText } from '../../../signaling/protocol/words/quantities.ts';
import type { HostSession } from '../../session/view/view.ts';
import * as say from '../../words/start/estimate.ts';

/** Before the first round: ends that fit into the time that people have, beside the recipe's and the paper's. */
export function EndChoice({ room, host }: { room: RoomView; host: Pick<HostSession, 'setExtent'> }) {
  const ends = possibleEnds(room);
  // One alone is no choice.
  if (ends.length < 2) return null;
  const { rounds } = room.settings.training;
  return (
    <fieldset class="ends">
      <legend>{say.howFarOnTheseDevices}</legend>
      {ends.map((end) => (
        <button
          key={end.label}
          type="button"
          class="end"
          aria-pressed={end.extent.rounds === rounds}
          onClick={() => void host.setExtent(end.extent).catch(() => undefined)}
        >
          <span class="end-label">{end.label}</span>
          <span class="end-text">{endWords(end)}</span>
        </button>
      ))}
    </fieldset>
  );
}

/** The rounds, and the time where the label does not name it. */
const endWords = (end: End): string =>
  end.kind === 'minutes' ? endText(end) : `${endText(end)}, ${timeLeftText(end.seconds)}`;
