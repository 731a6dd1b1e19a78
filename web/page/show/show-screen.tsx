import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { Actor, Demonstration } from '../../tab/show/demonstration.ts';
import * as say from '../../words/watch/show.ts';
import { clothSentence } from '../allocation/plan-table.ts';
import { cloth } from '../cloth/cloth.ts';
import { ClothLegend } from '../cloth/cloth-legend.tsx';
import { ClothPicture } from '../cloth/cloth-picture.tsx';
import { useLate } from '../cloth/late-round.ts';
import { markOf } from '../cloth/marks.ts';
import { deviceLines } from '../devices/device-lines.ts';
import { eachFrame } from '../parts/hooks.ts';
import { pipelines } from '../pipeline/pipeline.ts';
import { SplitPicture } from '../pipeline/split-picture.tsx';
import { Ask } from './ask.tsx';
import { CaptionCard } from './caption.tsx';
import { DeviceCard } from './device-card.tsx';
import { progressText } from './progress.ts';
import {
  captionOf,
  DEEP,
  DEEP_UPLINK_BITS,
  FEW_LAYERS,
  lessThanTheModel,
  PHONE,
  STEPS,
  type Step,
  shallowMemory,
} from './tour.ts';

/** A station that waits for longer may be left all the same. */
const PATIENCE_MS = 20_000;
const ROOMY_BYTES = 1e9;
const USUAL_UPLINK_BITS = 5e7;

interface ShowProps {
  readonly show: Demonstration;
  readonly onLeave: () => void;
  /** Where the tour begins; at its beginning unless given. */
  readonly first?: Step;
}

/** The demonstration: words that lead, the plan as a picture, and what a person can do to each device. */
export function ShowScreen({ show, onLeave, first = STEPS[0] }: ShowProps) {
  const { view, actors } = useShow(show);
  const [step, setStep] = useState<Step>(first);
  const { room, self, rounds, ended } = view;
  const seats = useMemo(() => actors.map(({ device }) => device), [actors]);
  const late = useLate(view);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  useEffect(() => () => show.end(), [show]);
  const [patient, setPatient] = useState(true);
  useEffect(() => {
    setPatient(true);
    if (step === 'measure') return;
    const timer = setTimeout(() => setPatient(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [step]);
  const caption = captionOf(step, view, actors);
  const lines = room === null ? [] : deviceLines(room, self, rounds, seats);

  const goOn = (): void => {
    const next = STEPS[(STEPS.indexOf(step) + 1) % STEPS.length]!;
    act(next, show, room);
    setStep(next === 'measure' ? 'plan' : next);
  };
  return (
    <main class="show">
      <CaptionCard
        step={step}
        caption={patient ? caption : { ...caption, waits: null }}
        heading={heading}
        onNext={goOn}
        onLeave={onLeave}
      />
      {step === 'answer' && <Ask host={show.host} />}
      <section class="show-picture" aria-labelledby="show-picture-title" data-round={rounds.at(-1)?.round}>
        <h2 id="show-picture-title" class="visually-hidden">
          {say.whoTrainsWhat}
        </h2>
        <Picture view={view} seats={seats} late={late} />
        <p class="show-progress">{ended ?? progressText(view)}</p>
      </section>
      <section class="show-devices" aria-labelledby="show-devices-title">
        <h2 id="show-devices-title">{say.playWithTheDevices}</h2>
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
        <p class="show-note">{say.allOfThemShare}</p>
      </section>
    </main>
  );
}

/** What going on to a station does to the devices. */
function act(step: Step, show: Demonstration, room: RoomView | null): void {
  const { actors, host } = show;
  const profileOf = (place: number) => room?.devices.find(({ id }) => id === actors[place]?.device)?.profile ?? null;
  const give = (places: readonly number[], memory: (profile: NonNullable<ReturnType<typeof profileOf>>) => number) => {
    for (const place of places) {
      const profile = profileOf(place);
      if (profile !== null) show.make(place, { memoryLimitBytes: memory(profile) });
    }
  };
  const all = actors.map(({ place }) => place);
  if (step === 'round') host.start();
  else if (step === 'leave') show.plug(PHONE, false);
  else if (step === 'depth') {
    host.setPolicy('crunch');
    give(FEW_LAYERS, shallowMemory);
    show.make(DEEP, { uplinkBitsPerSecond: DEEP_UPLINK_BITS });
  } else if (step === 'split') {
    host.setPolicy('auto');
    give(all, lessThanTheModel);
    show.make(DEEP, { uplinkBitsPerSecond: USUAL_UPLINK_BITS });
  } else if (step === 'measure') {
    host.setPolicy('auto');
    for (const { place, isHost, plugged } of actors) {
      show.make(place, { memoryLimitBytes: ROOMY_BYTES });
      if (!isHost && !plugged) show.plug(place, true);
    }
  }
}

function stateOf({ device, plugged }: Actor, room: RoomView | null): 'ready' | 'joining' | 'gone' {
  if (!plugged) return 'gone';
  return room?.devices.some((one) => one.id === device && one.profile !== null) ? 'ready' : 'joining';
}

function statusOf({ device, plugged, locked, caught }: Actor, lines: ReturnType<typeof deviceLines>): string {
  if (!plugged) return caught ? say.liedWasFoundOut : 'unplugged';
  const status = lines.find(({ id }) => id === device)?.status ?? 'starting';
  return locked ? say.asleep(status) : status;
}

/** All devices are this tab's: none is "you". */
const NOBODY = '';

interface PictureProps {
  readonly view: SessionView;
  readonly seats: readonly string[];
  readonly late: readonly string[];
}

function Picture({ view, seats, late }: PictureProps) {
  const { room, rounds, activity } = view;
  const split = useMemo(
    () => (room === null ? null : pipelines({ room, self: NOBODY, seats, late })),
    [room, seats, late],
  );
  const picture = useMemo(
    () => (room === null || split !== null ? null : cloth({ room, self: NOBODY, rounds, activity, seats, late })),
    [split, room, rounds, activity, seats, late],
  );
  if (room !== null && split !== null)
    return <SplitPicture split={split} running={room.phase === 'training' && view.ended === null} />;
  if (room === null || picture === null) return <p class="show-empty">{say.theLoomIsBeingSet}</p>;
  return (
    <>
      <ClothPicture cloth={picture} sentence={clothSentence(room)} />
      <ClothLegend bare={false} />
    </>
  );
}

/** The host's view and what the devices are made out to be, drawn at most once a frame. */
function useShow(show: Demonstration) {
  const now = () => ({ view: show.host.view, actors: show.actors });
  const [state, setState] = useState(now);
  useEffect(() => {
    const frames = eachFrame(() => setState(now()));
    frames.ask();
    const offs = [show.host.subscribe(frames.ask), show.onActors(frames.ask)];
    return () => {
      frames.stop();
      for (const off of offs) off();
    };
  }, [show]);
  return state;
}
