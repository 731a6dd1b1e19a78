import { signal } from '@preact/signals';
import { render } from 'preact';
import { App } from '../../../web/page/app.tsx';
import { SessionScreen } from '../../../web/page/session.tsx';
import '../../../web/page/style/tokens.css';
import '../../../web/page/style/page.css';
import type { HostSession, SessionFactory, SessionView } from '../../../web/session/view.ts';
import { VIEWS } from './gallery-views.ts';

/**
 * `?state=NAME` shows one state, `start` the start page; without it, the list of all. Served by the development server only. A test
 * changes the state without a reload by an event `gallery` whose detail is `NAME` or `NAME#fragment`; `data-drawn` then names what is
 * on the page, with its row of charts and codes.
 */

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
    exportMerged: async () => [{ name: 'model.safetensors', bytes: new Uint8Array(9_000_000) }],
    exportOnnx: async () => [{ name: 'onnx/model.onnx', bytes: new Uint8Array(9_000_000) }],
    tryText: async () => ({
      kind: 'classes',
      probabilities: [
        { name: 'negative', probability: 0.1 },
        { name: 'positive', probability: 0.9 },
      ],
    }),
    runLog: () => '',
    saveCheckpoint: async () => ({ name: 'session.tabloom', bytes: new Uint8Array(9) }),
  };
}

const factory: SessionFactory = {
  host: () => still(VIEWS.opening!),
  join: () => still(VIEWS['lobby-device']!),
  saved: async () => [],
  resume: async () => still(VIEWS.opening!),
  resumeFile: async () => still(VIEWS.opening!),
  forget: async () => undefined,
  previewTable: async () => ({ delimiter: ',', rowCount: 0, badRowCount: 0, badRows: [], columns: [] }),
  preflight: async ({ id }) => ({
    name: id,
    shape: VIEWS['lobby-device']!.room!.settings.shape,
    totalBytes: 3e6,
    cachedBytes: 0,
    downloadBytes: 3e6,
    memoryBytes: { f32: 12e6, f16: 9e6, int8: 7e6 },
    memoryLimitBytes: 1.5e9,
    fits: 'f32',
    sentence: 'The model takes 12 MB on this device.',
  }),
};

function Gallery({ state }: { state: string | null }) {
  const view = state === null ? undefined : VIEWS[state];
  if (state === 'start')
    return <App factory={async () => factory} origin={origin} server={signal({ hub: null, addresses: [] })} />;
  if (view === undefined)
    return (
      <main>
        <h1>States of the page</h1>
        <ul>
          {['start', ...Object.keys(VIEWS)].map((name) => (
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
        origin={origin}
        addresses={[]}
        onLeave={() => undefined}
      />
    </>
  );
}

async function show(name: string): Promise<void> {
  const [state = '', fragment = ''] = name.split('#');
  history.replaceState(null, '', `?state=${state}#${fragment}`);
  render(null, root);
  render(<Gallery state={state === '' ? null : state} />, root);
  const waiting = () => root.querySelector('.qr:not(:has(path)), .plot:empty, .cloth-frame:empty') !== null;
  while (waiting()) await new Promise(requestAnimationFrame);
  root.dataset.drawn = name;
}

addEventListener('gallery', (event) => void show(String((event as CustomEvent<unknown>).detail)));
void show(`${new URLSearchParams(location.search).get('state') ?? ''}${location.hash}`);
