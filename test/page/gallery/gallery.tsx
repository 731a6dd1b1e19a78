import { signal } from '@preact/signals';
import { options, render } from 'preact';
import type { Look } from '../../../signaling/protocol/door.ts';
import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import { planOf } from '../../../signaling/room/plan-of.ts';
import { App } from '../../../web/page/app.tsx';
import { NO_FACTS, type Rooms } from '../../../web/page/server-facts.ts';
import { SessionScreen } from '../../../web/page/session/session.tsx';
import { ShowScreen } from '../../../web/page/show/show-screen.tsx';
import { StartSession } from '../../../web/page/start/start.tsx';
import type { Actor, Demonstration } from '../../../web/tab/show/demonstration.ts';
import type { KeptModel } from '../../../worker/api/host-api.ts';
import { previewTable } from '../../../worker/table/columns/preview.ts';
import { readTable } from '../../../worker/table/read-table.ts';
import '../../../web/page/style/page.css';
import type {
  HostSession,
  JoinedSession,
  KeptSession,
  SessionFactory,
  SessionView,
} from '../../../web/session/view/view.ts';
import { youLeftTheSession } from '../../../web/words/session/session.ts';
import { answerOf, KEPT_MODELS, KEPT_SESSIONS, LOOKS, preflightOf, reportOf } from './before-sessions.ts';
import { crowd } from './crowd.ts';
import { VIEWS } from './gallery-views.ts';
import { KEPT_RUNS, KEPT_STATES, MEASURED } from './kept-views.ts';
import { SHOW_VIEWS, type ShownAt } from './show-views.ts';
import { START_FORMS } from './start-forms.ts';
import { STATES } from './states.ts';

/**
 * `?state=NAME` shows one state, `start` the start page; without it, the list of all. Served by the development server only. A test
 * changes the state without a reload by an event `gallery` whose detail is `NAME` or `NAME#fragment`; `data-drawn` then names what is
 * on the page, with its row of charts and codes.
 */

const root = document.getElementById('app')!;
const origin = 'http://192.168.1.20:8787';

/** What Preact looked at, for tests and benchmarks of how much that is. */
const counts = { looked: 0, screens: 0 };
const looked = options.diffed;
options.diffed = (node) => {
  counts.looked++;
  if (node.type === SessionScreen) counts.screens++;
  looked?.(node);
};
Object.assign(globalThis, { galleryCounts: counts });

/** Of benchmarks: far more than anybody looks at. */
let crowdView: SessionView = crowd(1, 1);

/** Changes the view of the session that is shown. */
let push: (change: Partial<SessionView>) => void = () => undefined;
addEventListener('gallery-push', (event) => push((event as CustomEvent<Partial<SessionView>>).detail));

addEventListener('gallery-rounds', (event) => {
  const added = (event as CustomEvent<SessionView['rounds']>).detail;
  push({ rounds: [...crowdView.rounds, ...added], activity: null });
});

/** A session that nothing happens in but what its host does at the door; tests read in `data-door` what was asked for. */
function still(first: SessionView): HostSession & JoinedSession {
  let view = first;
  const listeners = new Set<(view: SessionView) => void>();
  const become = (what: string, change: Partial<SessionView>): void => {
    root.dataset.door = `${root.dataset.door ?? ''}${what};`;
    view = { ...view, ...change };
    for (const listener of listeners) listener(view);
  };
  push = (change) => {
    view = { ...view, ...change };
    for (const listener of listeners) listener(view);
  };
  const inPhase = (phase: RoomView['phase']) => ({ room: view.room && { ...view.room, phase } });
  const without = (id: string) => view.waiting.filter((one) => one.id !== id);
  return {
    get view() {
      return view;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    leave: () => become('leave', { ended: youLeftTheSession }),
    pretend: async () => undefined,
    rest: (paused) => become(`rest ${paused}`, { status: { kind: paused ? 'paused' : 'ready' } }),
    start: () => become('start', inPhase('training')),
    pause: () => become('pause', inPhase('paused')),
    finish: () => become('finish', inPhase('finished')),
    setPolicy: () => undefined,
    setExtent: async (extent) => {
      const { room } = view;
      const settings = room && { ...room.settings, training: { ...room.settings.training, ...extent } };
      become(`extent ${extent.rounds}`, { room: room && settings && { ...room, settings } });
    },
    giveTable: (id) => become(`give ${id}`, { tables: { ...view.tables, [id]: 'coming' } }),
    entrance: {
      set: (door, cap) => become(`set ${door} ${cap}`, { door, cap }),
      admit: (id) => become(`admit ${id}`, { waiting: without(id) }),
      refuse: (id) => become(`refuse ${id}`, { waiting: without(id) }),
      remove: (id) =>
        become(`remove ${id}`, {
          room: view.room && { ...view.room, devices: view.room.devices.filter((one) => one.id !== id) },
        }),
      confirmDigits: (id, same) =>
        become(`digits ${id} ${same}`, { proofs: { ...view.proofs, [id]: { proof: 'compared', digits: null } } }),
    },
    exportAdapter: async () => [
      { name: 'adapter_config.json', bytes: new TextEncoder().encode('{}') },
      { name: 'adapter_model.safetensors', bytes: new Uint8Array(196_864) },
      { name: 'README.md', bytes: new TextEncoder().encode('# adapter') },
    ],
    exportMerged: async () => [{ name: 'model.safetensors', bytes: new Uint8Array(9_000_000) }],
    exportOnnx: async () => {
      throw new Error('A model of 2.4 GB does not fit into one ONNX file.');
    },
    tryText: async (text) => answerOf(view, text),
    answers: {
      devReport: async () => reportOf(view),
      previewTable: async ({ name, bytes }) => previewTable(await readTable(name, bytes)),
      predictFile: async () => ['label,left_out\n'],
    },
    runLog: () => '{"event":"round"}\n',
    exportCheckpoint: async () => ({ name: 'roberta-mini-grammar-round-34.safetensors', bytes: new Uint8Array(9) }),
  };
}

let seen: Look | Error = LOOKS['look-link']!;
let sessions: readonly KeptSession[] = [];
let models: readonly KeptModel[] = [];

const ROOMS: Readonly<Record<string, Rooms>> = {
  'start-plain': { kind: 'none' },
  'start-elsewhere': { kind: 'elsewhere', server: 'https://tabloom.example.org' },
};

/** A demonstration in which nothing happens but what its devices are made out to be. */
function stillShow({ view, actors: first }: ShownAt): Demonstration {
  const listeners = new Set<(actors: readonly Actor[]) => void>();
  let actors = first;
  const become = (place: number, change: Partial<Actor>): void => {
    actors = actors.map((one) => (one.place === place ? { ...one, ...change } : one));
    for (const listener of listeners) listener(actors);
  };
  return {
    host: still(view),
    get actors() {
      return actors;
    },
    onActors: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    make: (place, made) => become(place, { made: { ...actors[place]!.made, ...made } }),
    plug: (place, plugged) => become(place, { plugged }),
    lock: (place, locked) => become(place, { locked }),
    lie: (place, lies) => become(place, { lies }),
    end: () => undefined,
  };
}

const factory: SessionFactory = {
  host: async (request, options) => {
    // For tests: what the form has made of what was typed and chosen.
    root.dataset.request = JSON.stringify({ request, options }, (_key, value: unknown) =>
      value instanceof Uint8Array ? value.length : value,
    );
    return still(VIEWS.opening!);
  },
  join: async (invitation, options) => {
    root.dataset.join = JSON.stringify({ invitation, options });
    return still(VIEWS.waiting!);
  },
  look: async () => {
    if (seen instanceof Error) throw seen;
    return seen;
  },
  plan: async (question) => planOf(question),
  warm: () => undefined,
  keptSessions: async () => sessions,
  resume: async () => still(VIEWS.paused!),
  resumeFile: async (bytes) => {
    if (bytes[0] !== 0x54) throw new Error('This file is no checkpoint of Tabloom.');
    return still(VIEWS.paused!);
  },
  forget: async (id) => {
    sessions = sessions.filter((session) => session.id !== id);
  },
  deleteAll: async () => {
    const deleted = { sessions: sessions.length, models: models.length, bytes: 0 };
    for (const { bytes } of [...sessions, ...models]) deleted.bytes += bytes;
    [sessions, models] = [[], []];
    return deleted;
  },
  previewTable: async ({ name, bytes }) => previewTable(await readTable(name, bytes)),
  preflight: async (source) => preflightOf(source),
  reachTask: async ({ endpoint }) => {
    if (endpoint.includes('nowhere')) throw new Error(`${endpoint} cannot be reached.`);
  },
  keptModels: async () => models,
  forgetModels: async (name) => {
    models = models.filter((model) => model.name !== name);
  },
};

function Gallery({ state }: { state: string | null }) {
  const crowded = /^crowd-(\d+)$/.exec(state ?? '')?.[1];
  if (crowded !== undefined) crowdView = crowd(Number(crowded), 2000);
  const view = crowded !== undefined ? crowdView : state === null ? undefined : VIEWS[state];
  const shown = state === null ? undefined : SHOW_VIEWS[state];
  if (shown !== undefined)
    return (
      <>
        <header class="top">
          <span class="brand">Tabloom</span>
        </header>
        <ShowScreen show={stillShow(shown)} first={shown.step} onLeave={() => undefined} />
      </>
    );
  if (state !== null && (state === 'start' || state === 'start-kept' || state in LOOKS || state in ROOMS))
    return (
      <App
        factory={async () => factory}
        origin={origin}
        server={signal({ ...NO_FACTS, rooms: ROOMS[state] ?? { kind: 'here' } })}
        newer={signal(false)}
        onPlace={() => undefined}
        addDevice={async () => undefined}
        kept={async () => true}
        show={async () => Promise.reject(new Error('The gallery has no demonstration.'))}
      />
    );
  const form = state === null ? undefined : START_FORMS[state];
  if (form !== undefined)
    return (
      <main class="start">
        <h1 class="visually-hidden">{state}</h1>
        <StartSession form={signal(form)} origin={origin} busy={false} ask={factory} onStart={() => undefined} />
      </main>
    );
  if (view === undefined)
    return (
      <main>
        <h1>States of the page</h1>
        <ul>
          {STATES.map((name) => (
            <li key={name}>
              <a href={`?state=${name}`}>{name}</a>
            </li>
          ))}
        </ul>
      </main>
    );
  const session = still(view);
  return (
    <>
      <header class="top">
        <span class="brand">Tabloom</span>
      </header>
      <SessionScreen
        session={session}
        host={view.role === 'host' ? session : null}
        joined={view.role === 'host' ? null : session}
        origin={origin}
        addresses={[]}
        hostName="Linen Shuttle"
        plan={factory.plan}
        addDevice={async () => undefined}
        onLeave={() => undefined}
        onOutside={() => undefined}
      />
    </>
  );
}

/** What the browser has kept is part of a state. */
function remember(state: string): void {
  const isKept = state in KEPT_STATES || state === 'start-kept';
  for (const [key, value] of Object.entries({ runs: KEPT_RUNS, measured: MEASURED }))
    if (isKept) localStorage.setItem(`tabloom.${key}`, JSON.stringify(value));
    else localStorage.removeItem(`tabloom.${key}`);
}

async function show(name: string): Promise<void> {
  const [wanted = '', asked] = name.split('#');
  remember(wanted);
  const state = KEPT_STATES[wanted] ?? wanted;
  const fragment = asked ?? (state in LOOKS ? 'room=abc234' : '');
  seen = LOOKS[state] ?? LOOKS['look-link']!;
  history.replaceState(null, '', `?state=${state}#${fragment}`);
  sessions = state === 'start-kept' ? KEPT_SESSIONS : [];
  models = state === 'start-kept' ? KEPT_MODELS : [];
  render(null, root);
  delete root.dataset.door;
  render(<Gallery state={state === '' ? null : state} />, root);
  if (fragment === 'try') await ask();
  if (fragment === 'wall') root.querySelector<HTMLButtonElement>('.invite-qr button')!.click();
  const waiting = () =>
    root.querySelector('.qr:not(:has(path)), .plot:empty, .cloth-frame:empty') !== null ||
    (state === 'start-kept' && root.querySelector('.kept-item') === null) ||
    (state in LOOKS && root.querySelector('.look form') === null);
  while (waiting()) await new Promise(requestAnimationFrame);
  root.dataset.drawn = name;
}

/** Fills "Try it" in and asks. */
async function ask(): Promise<void> {
  const form = root.querySelector('.try-it')!;
  form.setAttribute('open', '');
  for (const [i, field] of [...form.querySelectorAll('textarea')].entries()) {
    field.value = ['A slow film, and all the better for it.', 'The film is slow.'][i]!;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
  await new Promise(requestAnimationFrame);
  form.querySelector('button')!.click();
  while (form.querySelector('[role="status"] > *') === null) await new Promise(requestAnimationFrame);
}

addEventListener('gallery', (event) => void show(String((event as CustomEvent<unknown>).detail)));
void show(`${new URLSearchParams(location.search).get('state') ?? ''}${location.hash}`);
