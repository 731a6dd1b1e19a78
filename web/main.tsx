/// <reference types="vite/client" />
import { signal } from '@preact/signals';
import { render } from 'preact';
import { App } from './page/app.tsx';
import type { Place, Shown } from './page/place.ts';
import { AWAY, NO_FACTS, PLAIN_HOST, readServerFacts, type ServerFacts } from './page/server-facts.ts';
import './page/style/page.css';
import { applyTheme, keptTheme } from './page/parts/theme.tsx';
import type { HostSession, SessionFactory } from './session/view/view.ts';
import { anythingKept } from './tab/anything-kept.ts';
import { inSession } from './tab/in-session.ts';
import type { AddedDevices } from './tab/show/added-devices.ts';

/** The address of the folder that the page lies in, which may be below a path of a proxy's. */
const origin = new URL('.', document.baseURI).href.replace(/\/$/, '');

/** The world of sessions of one's own while the server is away. */
const alone = () =>
  server.value.rooms.kind === 'away'
    ? import('./tab/offline/alone.ts').then(({ aloneEnvironment }) => aloneEnvironment)
    : null;

let made: Promise<SessionFactory> | null = null;

/** One for the page's life; a failure is not kept, so that the next attempt starts anew. */
function factory(): Promise<SessionFactory> {
  made ??= import('./tab/session-factory.ts')
    .then(({ createSessionFactory }) => createSessionFactory(origin, alone))
    .catch((error: unknown) => {
      made = null;
      throw error;
    });
  return made;
}

const added = new WeakMap<HostSession, AddedDevices>();

async function addDevice(host: HostSession): Promise<void> {
  const { AddedDevices } = await import('./tab/show/added-devices.ts');
  const devices = added.get(host) ?? new AddedDevices(origin, host);
  added.set(host, devices);
  devices.add();
}

async function show(): Promise<Shown> {
  const [{ ShowScreen }, { beginDemonstration }] = await Promise.all([
    import('./page/show/show-screen.tsx'),
    import('./tab/show/demonstration.ts'),
  ]);
  return { Screen: ShowScreen, begin: () => beginDemonstration(origin) };
}

async function serverFacts(): Promise<ServerFacts> {
  try {
    const response = await fetch('config.json', { signal: AbortSignal.timeout(2000) });
    if (response.status === 404) return PLAIN_HOST;
    if (!response.ok) return NO_FACTS;
    // Some hosts answer with a page whatever they are asked for.
    const config: unknown = await response.json().catch(() => null);
    return readServerFacts(config, origin);
  } catch {
    return navigator.serviceWorker?.controller ? AWAY : NO_FACTS;
  }
}

/** After which a page that nobody does anything with is taken to be there with all that it fetches. */
const QUIET_MS = 5000;

/** The server has a newer page than this one. */
const newer = signal(false);

let quiet: ReturnType<typeof setTimeout> | undefined;

/** What is kept of the page on this device is looked after once somebody has been at the start for a while, and left alone during sessions. */
function onPlace(kind: Place['kind']): void {
  inSession(kind === 'session' || kind === 'show');
  clearTimeout(quiet);
  if (kind !== 'start' || !('serviceWorker' in navigator)) return;
  const look = async (): Promise<void> => {
    const { atRest } = await import('./tab/offline/offline.ts');
    atRest(() => {
      newer.value = true;
    });
  };
  quiet = setTimeout(() => void look().catch(() => undefined), QUIET_MS);
}

// A file that misses its field would otherwise be opened in place of the page.
for (const type of ['dragover', 'drop'] as const)
  addEventListener(type, (event) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
  });

applyTheme(keptTheme());
const server = signal(NO_FACTS);
const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no element with the id "app".');
render(
  <App
    factory={factory}
    origin={origin}
    server={server}
    newer={newer}
    onPlace={onPlace}
    show={show}
    kept={anythingKept}
    addDevice={addDevice}
  />,
  root,
);
server.value = await serverFacts();
