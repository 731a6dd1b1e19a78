/// <reference types="vite/client" />
import { signal } from '@preact/signals';
import { render } from 'preact';
import { App, type Shown } from './page/app.tsx';
import { NO_FACTS, PLAIN_HOST, readServerFacts, type ServerFacts } from './page/server-facts.ts';
import './page/style/page.css';
import { applyTheme, keptTheme } from './page/parts/theme.tsx';
import type { HostSession, SessionFactory } from './session/view/view.ts';
import { anythingKept } from './tab/anything-kept.ts';
import type { AddedDevices } from './tab/show/added-devices.ts';

/** The address of the folder that the page lies in, which may be below a path of a proxy's. */
const origin = new URL('.', document.baseURI).href.replace(/\/$/, '');

let made: Promise<SessionFactory> | null = null;

/** One for the page's life; a failure is not kept, so that the next attempt starts anew. */
function factory(): Promise<SessionFactory> {
  made ??= import('./tab/session-factory.ts')
    .then(({ createSessionFactory }) => createSessionFactory(origin))
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
    return NO_FACTS;
  }
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
  <App factory={factory} origin={origin} server={server} show={show} kept={anythingKept} addDevice={addDevice} />,
  root,
);
server.value = await serverFacts();
