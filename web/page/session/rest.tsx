import type { ComponentChildren } from 'preact';
import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { HostSession, SessionView } from '../../session/view/view.ts';
import type { AskPlanner } from '../../session/view/what-if.ts';
import * as say from '../../words/watch/session.ts';
import type { Seats } from '../cloth/marks.ts';
import { AddDevice } from '../devices/add-device.tsx';
import { deviceLines } from '../devices/device-lines.ts';
import { DeviceList } from '../devices/device-list.tsx';
import { Facts } from '../parts/facts.tsx';
import { LazyFold } from '../parts/lazy-fold.tsx';
import { NumbersFold } from '../report/numbers-fold.tsx';
import { ReportOnDevice } from '../report/report-on-device.tsx';
import { WhatIfPanel } from '../what-if/what-if-fold.tsx';
import { Leave } from './controls.tsx';
import { Log } from './now.tsx';
import { AboutPlan } from './plan-about.tsx';
import { sessionFacts } from './session-facts.ts';

interface RestProps {
  readonly view: SessionView;
  readonly room: RoomView;
  readonly host: HostSession | null;
  readonly seats: Seats;
  /** What a plan would be, without touching the room. */
  readonly plan: AskPlanner;
  /** How others are invited; null for whom that is not to do. */
  readonly invite: ComponentChildren | null;
  /** Adds a device in this tab; null where there is nothing to add it with. */
  readonly onAdd: (() => Promise<void>) | null;
  /** Null where leaving has a place of its own. */
  readonly onLeave: (() => void) | null;
}

/** Who is in the session, and what there is to read about it. */
export function Rest({ view, room, host, seats, plan, invite, onAdd, onLeave }: RestProps) {
  const isOwn = room.settings.task.id === 'own';
  const profile = room.devices.find(({ id }) => id === view.self)?.profile ?? null;
  const going = host !== null && view.ended === null;
  return (
    <div class="session-rest">
      <DeviceList
        onCompared={going ? (id, same) => host.entrance.confirmDigits(id, same) : null}
        onRemove={going && room.phase !== 'finished' ? (id) => host.entrance.remove(id) : null}
        onGiveTable={going && isOwn && room.phase !== 'finished' ? (id) => host.giveTable(id) : null}
        lines={deviceLines(
          view.ended === null ? room : { ...room, phase: 'finished' },
          view.self,
          view.rounds,
          seats,
          host === null ? {} : view.proofs,
          view.links,
          host !== null && isOwn ? view.tables : null,
        )}
      />
      {going && room.phase !== 'finished' && onAdd !== null && <AddDevice onAdd={onAdd} />}
      <div class="folds">
        <AboutPlan room={room} onPolicy={going ? (policy) => host.setPolicy(policy) : null} />
        {room.phase !== 'finished' && view.ended === null && room.devices.some(({ profile }) => profile !== null) && (
          <LazyFold kind="what-if-fold" summary={say.whatIf} open={false}>
            {() => <WhatIfPanel room={room} self={view.self} seats={seats} rounds={view.rounds} ask={plan} />}
          </LazyFold>
        )}
        <details class="fold" data-fold="session">
          <summary>
            {say.aboutTheSession} <span class="summary-note">{room.settings.model.id.split('/').at(-1)}</span>
          </summary>
          <Facts facts={sessionFacts(room.settings)} />
        </details>
        {room.phase !== 'gathering' && invite !== null && (
          <details class="fold" data-fold="invite">
            <summary>
              {say.inviteDevices} <span class="summary-note">{room.id}</span>
            </summary>
            {invite}
          </details>
        )}
        <Log notices={view.notices} />
        {profile !== null && <NumbersFold profile={profile} />}
        <ReportOnDevice view={view} />
      </div>
      {view.ended === null && onLeave !== null && <Leave host={host !== null} onLeave={onLeave} />}
    </div>
  );
}
