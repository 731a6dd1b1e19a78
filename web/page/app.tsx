import { type ReadonlySignal, signal, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { ModelSource } from '../../signaling/protocol/settings.ts';
import { roomOfFragment } from '../session/link-address.ts';
import type { HostSession, Session, SessionFactory } from '../session/view.ts';
import { friendlyName } from './device-name.ts';
import { ExampleCloth } from './example-cloth.tsx';
import { type JoinChoice, JoinForm } from './join.tsx';
import type { ServerFacts } from './server-facts.ts';
import { SessionScreen } from './session.tsx';
import { StartSession } from './start.tsx';
import { DEFAULT_FORM, type StartChoice, type StartForm } from './start-form.ts';
import { recall, remember, ThemeButton } from './theme.tsx';

interface AppProps {
  /** Fetched when the first session begins: the start page loads nothing of the network code. */
  readonly factory: () => Promise<SessionFactory>;
  readonly origin: string;
  /** Arrives after the first paint. */
  readonly server: ReadonlySignal<ServerFacts>;
}

type Place =
  | { readonly kind: 'start' }
  /** `code` as it stood in the link, right or wrong. */
  | { readonly kind: 'invited'; readonly code: string }
  | { readonly kind: 'session'; readonly session: Session; readonly host: HostSession | null };

const NAME_KEY = 'tabloom.device-name';

export function App({ factory, origin, server }: AppProps) {
  const place = useSignal<Place>(placeOfFragment());
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const drawnName = useRef(friendlyName(Math.random())).current;
  const form = useRef(signal<StartForm>({ ...DEFAULT_FORM, name: recall(NAME_KEY) ?? drawnName })).current;

  useSignalEffect(() => {
    const { hub } = server.value;
    if (hub !== null && form.peek().endpoint === DEFAULT_FORM.endpoint) form.value = { ...form.peek(), endpoint: hub };
  });

  useEffect(() => {
    const follow = (): void => {
      if (place.value.kind !== 'session') place.value = placeOfFragment();
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, [place]);

  const begin = async (make: (factory: SessionFactory) => Place, name: string): Promise<void> => {
    busy.value = true;
    problem.value = null;
    // A name of one's own choice is kept; a drawn one is not, so that two tabs of one browser get two names.
    if (name !== drawnName) remember(NAME_KEY, name);
    try {
      place.value = make(await factory());
      scrollTo(0, 0);
    } catch (error) {
      problem.value = `The session cannot begin: ${error instanceof Error ? error.message : 'its code could not be loaded'}. Reload the page and try again.`;
    } finally {
      busy.value = false;
    }
  };
  const ask = useRef({
    previewTable: async (bytes: Uint8Array) => (await factory()).previewTable(bytes),
    preflight: async (source: ModelSource) => (await factory()).preflight(source),
  }).current;
  const start = ({ request, options }: StartChoice): void => {
    void begin((made) => {
      const host = made.host(request, options);
      return { kind: 'session', session: host, host };
    }, options.name);
  };
  const join = ({ room, ...options }: JoinChoice): void => {
    void begin((made) => ({ kind: 'session', session: made.join(room, options), host: null }), options.name);
  };
  const back = (): void => {
    history.replaceState(null, '', location.pathname + location.search);
    document.title = 'Tabloom';
    place.value = { kind: 'start' };
  };

  const toStart = (event: Event): void => {
    event.preventDefault();
    back();
  };

  const here = place.value;
  const invited = here.kind === 'invited';
  return (
    <>
      <header class="top">
        <a class="brand" href="./" onClick={(event) => here.kind === 'session' && event.preventDefault()}>
          <BrandMark />
          Tabloom
        </a>
        <ThemeButton />
      </header>
      {here.kind === 'session' ? (
        <SessionScreen
          session={here.session}
          host={here.host}
          origin={origin}
          addresses={server.value.addresses}
          onLeave={back}
        />
      ) : (
        <main class="start">
          <div class="intro">
            <h1>Fine-tune a language model together, in browser tabs</h1>
            <p class="lead">
              Open a session, share its link. Every device that joins measures its own speed and trains the layers that
              suit it.
            </p>
            {problem.value !== null && (
              <p class="problem" role="alert">
                {problem.value}
              </p>
            )}
          </div>
          {invited ? (
            <JoinForm
              key={here.code}
              code={here.code}
              name={form.value.name}
              onName={(name) => rename(name)}
              invited
              busy={busy.value}
              onJoin={join}
            />
          ) : (
            <>
              <StartSession form={form} origin={origin} busy={busy.value} ask={ask} onStart={start} />
              <JoinForm
                code=""
                name={form.value.name}
                onName={(name) => rename(name)}
                invited={false}
                busy={busy.value}
                onJoin={join}
              />
            </>
          )}
          <ExampleCloth />
          {invited && (
            <p class="elsewhere">
              <a href="./" onClick={toStart}>
                Start a session of your own
              </a>
            </p>
          )}
        </main>
      )}
    </>
  );

  function rename(name: string): void {
    form.value = { ...form.value, name };
  }
}

function placeOfFragment(): Place {
  const code = roomOfFragment(location.hash);
  if (code === null) return { kind: 'start' };
  return { kind: 'invited', code: code.ok ? code.room : location.hash.replace(/^.*room=/i, '') };
}

function BrandMark() {
  return (
    <svg width={24} height={24} viewBox="0 0 24 24" aria-hidden="true" class="brand-mark">
      <path class="brand-warp" d="M6 1V23M12 1V23M18 1V23" />
      <path class="brand-weft" d="M3 6H9M15 6H21M9 12H15M3 18H9M15 18H21" />
    </svg>
  );
}
