import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { HostSession, SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/session.ts';
import { WhatItGetsWrong } from '../take/dev-report.tsx';
import { Exports } from '../take/exports.tsx';
import { PredictFile } from '../take/predict-file.tsx';
import { TryIt } from '../take/try-it.tsx';

interface TakeProps {
  readonly view: SessionView;
  readonly room: RoomView;
  readonly host: HostSession;
  readonly finished: boolean;
  readonly onTaken: () => void;
}

/** What the host may ask of the model, and take with it. */
export function TakeArea({ view, room, host, finished, onTaken }: TakeProps) {
  return (
    <div class="session-take">
      <div class="session-ask">
        <TryIt view={view} host={host} open={finished} />
        <WhatItGetsWrong host={host} scoredRound={view.scores.at(-1)?.round ?? -1} />
        <PredictFile view={view} host={host} />
      </div>
      <details class="fold" data-fold="exports" open={finished}>
        <summary>{say.takeItWithYou}</summary>
        <Exports view={view} host={host} settings={room.settings} finished={finished} onTaken={onTaken} />
      </details>
    </div>
  );
}
