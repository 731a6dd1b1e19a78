import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { blocksText } from '../../../signaling/protocol/words/lists.ts';
import { runText } from '../../../signaling/protocol/words/units.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/cloth.ts';
import { hasWork } from './cloth.ts';

/** What this tab's device trains in the plan, or what of the model it trains with where nothing of that is; null where it has no part in it. */
export function ownWork(view: Pick<SessionView, 'self'>, room: RoomView): string | null {
  const assignment = room.plan?.assignments.find((one) => one.device === view.self);
  if (assignment === undefined) return null;
  const { stage, layers, head } = assignment;
  if (hasWork(assignment)) return blocksText(layers, head);
  return stage === undefined ? null : say.withWord(runText(stage, room.settings.shape.layers));
}
