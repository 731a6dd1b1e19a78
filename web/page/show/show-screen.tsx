import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { Actor, Demonstration } from '../../tab/show/demonstration.ts';
import { clothSentence } from '../allocation/plan-table.ts';
import { cloth } from '../cloth/cloth.ts';
import { ClothLegend } from '../cloth/cloth-legend.tsx';
import { ClothPicture } from '../cloth/cloth-picture.tsx';
import { markOf } from '../cloth/marks.ts';
import { deviceLines } from '../devices/device-lines.ts';
import { eachFrame } from '../parts/hooks.ts';
import { pipelines } from '../pipeline/pipeline.ts';
import { SplitPicture } from '../pipeline/split-picture.tsx';
import { DeviceCard } from './device-card.tsx';

/** The demonstration: a host and devices in this tab, their plan as a picture, and what a person can do to each of them. */
export function ShowScreen({ show, onLeave }: { show: Demonstration; onLeave: () => void }) {
  const { view, actors } = useShow(show);
  const { room, self, rounds } = view;
  const seats = useMemo(() => actors.map(({ device }) => device), [actors]);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  useEffect(() => () => show.end(), [show]);
  const lines = room === null ? [] : deviceLines(room, self, rounds, seats);
  return (
    <main class="show">
      <div class="show-words">
        <h1 ref={heading} tabIndex={-1}>
          Four devices in this tab
        </h1>
        <div class="buttons">
          <button type="button" onClick={onLeave}>
            Back to the start
          </button>
        </div>
      </div>
      <section class="show-picture" aria-label="Who trains what" data-round={rounds.at(-1)?.round}>
        <Picture view={view} seats={seats} />
      </section>
      <section class="show-devices" aria-labelledby="show-devices-title">
        <h2 id="show-devices-title">The devices</h2>
        <ul>
          {actors.map((actor) => (
            <DeviceCard
              key={actor.place}
              actor={actor}
              mark={markOf(actor.place)}
              status={statusOf(actor, lines)}
              state={stateOf(actor, room)}
              onMade={(made) => show.make(actor.place, made)}
              onPlug={(plugged) => show.plug(actor.place, plugged)}
              onLock={(locked) => show.lock(actor.place, locked)}
              onLie={(lies) => show.lie(actor.place, lies)}
            />
          ))}
        </ul>
      </section>
    </main>
  );
}

function stateOf({ device, plugged }: Actor, room: RoomView | null): 'ready' | 'joining' | 'gone' {
  if (!plugged) return 'gone';
  return room?.devices.some((one) => one.id === device && one.profile !== null) ? 'ready' : 'joining';
}

function statusOf({ device, plugged, isHost }: Actor, lines: ReturnType<typeof deviceLines>): string {
  if (!plugged && !isHost) return 'not here';
  return lines.find(({ id }) => id === device)?.status ?? 'joining';
}

function Picture({ view, seats }: { view: SessionView; seats: readonly string[] }) {
  const { room, self, rounds, activity } = view;
  const split = useMemo(() => (room === null ? null : pipelines({ room, self, seats, late: NONE })), [room, seats]);
  const picture = useMemo(
    () => (room === null || split !== null ? null : cloth({ room, self, rounds, activity, seats, late: NONE })),
    [split, room, rounds, activity, seats],
  );
  if (room !== null && split !== null)
    return <SplitPicture split={split} running={room.phase === 'training' && view.ended === null} />;
  if (room === null || picture === null) return <p class="show-waits">Workers are being started…</p>;
  return (
    <>
      <ClothPicture cloth={picture} sentence={clothSentence(room)} />
      <ClothLegend bare={false} />
    </>
  );
}

const NONE: readonly never[] = [];

/** The host's view and what the devices are made out to be, drawn at most once a frame. */
function useShow({ host, actors, onActors }: Demonstration) {
  const [state, setState] = useState<{ view: SessionView; actors: readonly Actor[] }>({ view: host.view, actors });
  useEffect(() => {
    let now = actors;
    const frames = eachFrame(() => setState({ view: host.view, actors: now }));
    frames.ask();
    const offs = [
      host.subscribe(frames.ask),
      onActors((next) => {
        now = next;
        frames.ask();
      }),
    ];
    return () => {
      frames.stop();
      for (const off of offs) off();
    };
  }, [host]);
  return state;
}
