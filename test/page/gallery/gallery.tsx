import { signal } from '@preact/signals';
import { render } from 'preact';
import { App } from '../../../web/page/app.tsx';
import { SessionScreen } from '../../../web/page/session.tsx';
import '../../../web/page/style/tokens.css';
import '../../../web/page/style/page.css';
import type { HostSession, SessionFactory, SessionView } from '../../../web/session/view.ts';
import { VIEWS } from './gallery-views.ts';

/** `?state=NAME` shows one state; without it, the list of all. Served by the development server only. */

const name = new URLSearchParams(location.search).get('state');
const root = document.getElementById('app')!;
const origin = 'http://192.168.1.20:8787';

function still(view: SessionView): HostSession {
  return {
    view,
    subscribe: () => () => undefined,
    leave: () => undefined,
    start: () => undefined,
    pause: () => undefined,
    finish: () => undefined,
    setPolicy: () => undefined,
    exportAdapter: async () => [
      { name: 'adapter_config.json', bytes: new TextEncoder().encode('{}') },
      { name: 'adapter_model.safetensors', bytes: new Uint8Array(196_864) },
      { name: 'README.md', bytes: new TextEncoder().encode('# adapter') },
    ],
  };
}

const factory: SessionFactory = {
  host: () => still(VIEWS.opening!),
  join: () => still(VIEWS['lobby-device']!),
};

const view = name === null ? undefined : VIEWS[name];
if (name === 'start') {
  render(<App factory={async () => factory} origin={origin} server={signal({ hub: null, addresses: [] })} />, root);
} else if (view === undefined) {
  render(
    <main>
      <h1>States of the page</h1>
      <ul>
        {['start', ...Object.keys(VIEWS)].map((state) => (
          <li key={state}>
            <a href={`?state=${state}`}>{state}</a>
          </li>
        ))}
      </ul>
    </main>,
    root,
  );
} else {
  const session = still(view);
  render(
    <>
      <header class="top">
        <span class="brand">Tabloom</span>
      </header>
      <SessionScreen
        session={session}
        host={view.role === 'host' ? session : null}
        origin={origin}
        addresses={[]}
        onLeave={() => undefined}
      />
    </>,
    root,
  );
}
