import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { blocksText } from '../../../signaling/protocol/words/lists.ts';
import type { SessionView } from '../../session/view/view.ts';
import { hasWork } from './cloth.ts';

/** What this tab's device trains in the plan; null where it has no part in it. */
export function ownWork(view: Pick<SessionView, 'self'>, room: RoomView): string | null {
  const assignment = room.plan?.assignments.find((one) => one.device === view.self);
  return assignment === undefined || !hasWork(assignment) ? null : blocksText(assignment.layers, assignment.head);
}
