import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { ModelChunksApi } from '../../../worker/api/chunks-api.ts';

export interface ExchangeContext {
  readonly self: string;
  readonly settings: SessionSettings;
  readonly origin: string;
  readonly chunks: ModelChunksApi;
  readonly room: () => RoomView | null;
  /** Whether this device leads the session; known before there is a room. */
  readonly isHost: () => boolean;
}
