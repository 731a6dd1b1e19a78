import { type ReadonlySignal, signal, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { errorSentence } from '../../signaling/protocol/text/plain-error.ts';
import type { Deleted, KeptModel } from '../../worker/api/host-api.ts';
import { invitationOfFragment, roomLink } from '../session/links/link-address.ts';
import type { HostSession, InvitedTo, KeptSession, Session, SessionFactory } from '../session/view/view.ts';
import type { AskPlanner } from '../session/view/what-if.ts';
import * as say from '../words/app.ts';
import { FinishedRuns } from './curve/finished-runs.tsx';
import { ExampleCloth } from './example/example-cloth.tsx';
import { platformName } from './join/device-name.ts';
import { JoinForm } from './join/join.tsx';
import { type JoinChoice, LookScreen } from './join/look.tsx';
import { wayIn } from './join/look-words.ts';
import { NoServer } from './join/no-server.tsx';
import { DeleteAll } from './kept/delete-all.tsx';
import { KeptModelList } from './kept/kept-models.tsx';
import { CheckpointFile, KeptSessionList } from './kept/kept-sessions.tsx';
import { MissingNote } from './missing/missing.tsx';
import { pressable } from './parts/pressable.ts';
import { recall, remember } from './parts/remember.ts';
import { ThemeButton } from './parts/theme.tsx';
import type { Place, Shown } from './place.ts';
import type { ServerFacts } from './server-facts.ts';
import type { StartForm } from './start/form-fields.ts';
import { StartSession } from './start/start.tsx';
import { DEFAULT_FORM, type StartChoice } from './start/start-form.ts';

interface AppProps {
  /** Fetched when the first session begins: the start page loads nothing of the network code. */
  readonly factory: () => Promise<SessionFactory>;
  readonly origin: string;
  /** Arrives after the first paint. */
  readonly server: ReadonlySignal<ServerFacts>;
  /** The server has a newer page than this one. */
  readonly newer: ReadonlySignal<boolean>;
  /** Told which place is shown, whenever that is another. */
  readonly onPlace: (kind: Place['kind']) => void;
  /** Adds a device in this tab to a session that it hosts. */
  readonly addDevice: (host: HostSession) => Promise<void>;
  /** Fetched when somebody wants to see the demonstration. */
  readonly show: () => Promise<Shown>;
  /** Whether this browser keeps anything for the page. */
  readonly kept: () => Promise<boolean>;
}

/** A session as it begins; its screen is fetched meanwhile. */
type Begun = Omit<Extract<Place, { kind: 'session' }>, 'kind' | 'Screen'>;

const AFTER_PAINT_MS = 100;
const NAME_KEY = 'tabloom.device-name';

export function App({ factory, origin, server, newer, onPlace, show, kept, addDevice }: AppProps) {
  const place = useSignal<Place>(placeOfFragment());
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  /** Null until it was looked up. */
  const sessions = useSignal<readonly KeptSession[] | null>(null);
  const models = useSignal<readonly KeptModel[]>([]);
  // A list that has become empty stays, to say what was deleted.
  const had = useRef({ sessions: false, models: false }).current;
  had.sessions ||= (sessions.value?.length ?? 0) > 0;
  had.models ||= models.value.length > 0;
  const platform = useRef(platformName(navigator.userAgent, navigator.maxTouchPoints)).current;
  const form = useRef(signal<StartForm>({ ...DEFAULT_FORM, name: recall(NAME_KEY) ?? platform })).current;

  useSignalEffect(() => {
    const { hub, models } = server.value;
    const typed = form.peek();
    const [offered = typed.repository] = models;
    if (hub !== null && typed.endpoint === DEFAULT_FORM.endpoint)
      form.value = {
        ...typed,
        endpoint: hub,
        repository: typed.repository === DEFAULT_FORM.repository ? offered : typed.repository,
      };
  });

  useEffect(() => {
    const follow = (): void => {
      if (place.value.kind !== 'session' && place.value.kind !== 'show') place.value = placeOfFragment();
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, [place]);

  const begin = async (name: string, make: (factory: SessionFactory) => Promise<Begun>): Promise<void> => {
    busy.value = true;
    problem.value = null;
    if (name !== platform) remember(NAME_KEY, name);
    try {
      // The screen first: a session that nobody can see does not begin.
      const [made, { SessionScreen: Screen }] = await Promise.all([factory(), import('./session/session.tsx')]);
      const begun = await make(made);
      place.value = { kind: 'session', Screen, ...begun };
      follow(begun.session, begun.hostName);
      scrollTo(0, 0);
    } catch (error) {
      problem.value = say.theSessionCannotBegin(errorSentence(error, say.itsCodeCouldNot));
      scrollTo(0, 0);
    } finally {
      busy.value = false;
    }
  };
  /** A device may become its session's host, and a host a device. */
  const follow = (session: Session, hostName: string | null): void => {
    session.onSuccessor?.((next) => {
      const here = place.peek();
      if (here.kind === 'session') place.value = { ...here, ...next, hostName };
      follow(next.session, hostName);
    });
  };
  const hosted = (host: HostSession): Begun => ({ session: host, host, joined: null, hostName: null });
  const ask = useRef<Parameters<typeof StartSession>[0]['ask']>({
    previewTable: async (file) => (await factory()).previewTable(file),
    preflight: async (source) => (await factory()).preflight(source),
    reachTask: async (task) => (await factory()).reachTask(task),
  }).current;
  const start = ({ request, options }: StartChoice): void =>
    void begin(options.name, async (made) => hosted(await made.host(request, options)));
  const plan = useRef<AskPlanner>(async (question) => (await factory()).plan(question)).current;
  const look = useRef(async (invitation: InvitedTo) => {
    const made = await factory();
    const found = await made.look(invitation);
    if (wayIn(found) !== 'closed') made.warm(found);
    return found;
  }).current;
  const join = ({ invitation, hostName, ...options }: JoinChoice): void =>
    void begin(options.name, async (made) => {
      const joined = await made.join(invitation, options);
      return { session: joined, host: null, joined, hostName };
    });
  const resume = (id: string): void => void begin(platform, async (made) => hosted(await made.resume(id)));
  const resumeFile = (file: File): void => {
    const { name, policy } = form.peek();
    const options = { name: name.trim() || platform, policy, slowdown: 1, patience: Number(form.peek().patience) };
    void begin(options.name, async (made) =>
      hosted(await made.resumeFile(new Uint8Array(await file.arrayBuffer()), options)),
    );
  };

  const list = async (): Promise<void> => {
    const made = await factory();
    // One may be refused by the browser without the other.
    const [keptSessions, keptModels] = await Promise.allSettled([made.keptSessions(), made.keptModels()]);
    sessions.value = keptSessions.status === 'fulfilled' ? keptSessions.value : [];
    models.value = keptModels.status === 'fulfilled' ? keptModels.value : [];
  };
  const showMe = async (): Promise<void> => {
    busy.value = true;
    problem.value = null;
    try {
      const { Screen, begin } = await show();
      place.value = { kind: 'show', Screen, show: begin() };
      scrollTo(0, 0);
    } catch (error) {
      problem.value = say.theDemonstrationCannotBegin(errorSentence(error, say.itsCodeCouldNot));
    } finally {
      busy.value = false;
    }
  };
  const atStart = place.value.kind === 'start';
  const { rooms } = server.value;
  const noServer = rooms.kind === 'none' || rooms.kind === 'elsewhere';
  const elsewhere = rooms.kind === 'elsewhere' ? rooms.server : null;
  const { kind } = place.value;
  useEffect(() => onPlace(kind), [kind]);
  useEffect(() => {
    // After the page is drawn: what is kept is looked up by the network code, which the first paint does without.
    // Without a server nothing could be gone on with, and the network code stays where it is.
    if (!atStart || noServer) return;
    const timer = setTimeout(() => void lookUp().catch(() => undefined), AFTER_PAINT_MS);
    return () => clearTimeout(timer);
  }, [atStart, noServer]);
  const lookUp = async (): Promise<void> => {
    if (await kept()) await list();
  };
  const forget = async (id: string): Promise<void> => {
    await (await factory()).forget(id);
    await list();
  };
  const deleteModel = async (name: string): Promise<void> => {
    await (await factory()).forgetModels(name);
    await list();
  };
  const deleteAll = async (): Promise<Deleted> => {
    const deleted = await (await factory()).deleteAll();
    await list();
    return deleted;
  };
  const back = (): void => {
    history.replaceState(null, '', location.pathname + location.search);
    document.title = say.tabloom;
    place.value = { kind: 'start' };
  };

  /** The address says where this page is, so that a reload, or going back, leads there. */
  const goTo = ({ room, secret }: InvitedTo): void => {
    location.hash = new URL(roomLink(origin, room, secret)).hash;
  };
  const keepAddress = ({ room, secret }: InvitedTo): void =>
    history.replaceState(null, '', new URL(roomLink(origin, room, secret)).hash);
  const outside = (): void => {
    document.title = say.tabloom;
    place.value = placeOfFragment();
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
        <a
          class="brand"
          href="./"
          onClick={(event) => (here.kind === 'session' || here.kind === 'show') && event.preventDefault()}
        >
          <BrandMark />
          {say.tabloom}
        </a>
        <ThemeButton />
      </header>
      {here.kind === 'show' ? (
        <here.Screen show={here.show} onLeave={back} />
      ) : here.kind === 'session' ? (
        <here.Screen
          session={here.session}
          host={here.host}
          joined={here.joined}
          origin={origin}
          addresses={server.value.addresses}
          hostName={here.hostName}
          plan={plan}
          addDevice={addDevice}
          alone={rooms.kind === 'away'}
          onLeave={back}
          onOutside={outside}
        />
      ) : (
        <main class="start">
          <div class="intro">
            {(!invited || noServer) && (
              <>
                <h1>{say.fineTuneALanguageModel}</h1>
                <p class="lead">{say.openASessionShare}</p>
                <div class="show-me">
                  <button type="button" class="primary" {...pressable(busy.value, () => void showMe())}>
                    {say.showMeInThisTab}
                  </button>
                  <p>{say.fourPretendedDevicesTrain}</p>
                </div>
              </>
            )}
            {problem.value !== null && (
              <p class="problem" role="alert">
                {problem.value}
              </p>
            )}
            <MissingNote addresses={server.value.addresses} away={rooms.kind === 'away'} newer={newer.value} />
            {atStart && had.sessions && (
              <KeptSessionList
                sessions={sessions.value ?? []}
                nowMs={Date.now()}
                busy={busy.value}
                onResume={resume}
                onForget={forget}
              />
            )}
          </div>
          {noServer ? (
            <NoServer server={elsewhere} fragment={invited ? location.hash : ''} />
          ) : invited ? (
            <LookScreen
              key={here.code}
              invited={here.code}
              name={form.value.name}
              onName={(name) => rename(name)}
              busy={busy.value}
              look={look}
              onInvited={keepAddress}
              onJoin={join}
            />
          ) : (
            <>
              <StartSession form={form} origin={origin} busy={busy.value} ask={ask} onStart={start} />
              <JoinForm onInvited={goTo} />
              <div class="kept">
                <CheckpointFile busy={busy.value} onFile={resumeFile} />
                <FinishedRuns />
                {had.models && <KeptModelList models={models.value} onDelete={deleteModel} />}
                <DeleteAll onDelete={deleteAll} />
              </div>
            </>
          )}
          <ExampleCloth />
          {invited && (
            <p class="elsewhere">
              <a href="./" onClick={toStart}>
                {say.startASession}
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
  const invitation = invitationOfFragment(location.hash);
  if (invitation === null) return { kind: 'start' };
  return { kind: 'invited', code: invitation.ok ? location.hash : location.hash.replace(/^.*room=/i, '') };
}

function BrandMark() {
  return (
    <svg width={24} height={24} viewBox="0 0 24 24" aria-hidden="true" class="brand-mark">
      <path class="brand-warp" d="M6 1V23M12 1V23M18 1V23" />
      <path class="brand-weft" d="M3 6H9M15 6H21M9 12H15M3 18H9M15 18H21" />
    </svg>
  );
}
