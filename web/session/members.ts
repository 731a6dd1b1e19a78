import { MAX_DEVICES_IN_ROOM } from '../../signaling/protocol/limits.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import * as say from '../words/session/session.ts';
import { roundsUntil } from './held/left-reports.ts';
import { JoinSession, type KnownDevice } from './join-session.ts';
import type { Offer } from './offer.ts';
import type { Resumed } from './own/session-note.ts';
import { standingsAfter } from './own/standings-after.ts';
import { OwnSession } from './own-session.ts';
import { NamesSeen } from './view/names-seen.ts';
import type { LogEntry } from './view/run-log.ts';
import type { HostOptions, InvitedTo, JoinOptions, SessionView } from './view/view.ts';
import type { SessionEnvironment } from './world/environment.ts';

/** A device in somebody's session, which goes on as its host when the server offers that. */
export function joinSession(
  environment: SessionEnvironment,
  invitation: InvitedTo,
  options: JoinOptions,
  known: KnownDevice | null = null,
): JoinSession {
  const session = new JoinSession(environment, invitation, options, known);
  const names = new NamesSeen();
  session.subscribe(({ room }) => names.note(room));
  session.onOffer((offer) => void takeOver(environment, session, offer, names));
  return session;
}

/** Told to the person of a host that was away. */
const FOLLOWED = say.thisDeviceWasAway;

/** A session of one's own, which goes on as a device of another one's when another device is host. */
export function ownSession(
  environment: SessionEnvironment,
  request: HostRequest,
  options: HostOptions,
  resumed: Resumed | null = null,
): OwnSession {
  const session = new OwnSession(environment, request, options, resumed);
  session.onDeposed(({ invitation, identity, name, slowdown }) => {
    const known = { ...identity, news: FOLLOWED };
    const joined = joinSession(environment, invitation, { name, slowdown, watch: false }, known);
    session.successor.emit({ session: joined, host: null, joined });
  });
  return session;
}

/** Opens the task on this device, and takes the role where that comes out; until then it stays the device that it was. */
export async function takeOver(
  environment: SessionEnvironment,
  session: JoinSession,
  offer: Offer,
  names: NamesSeen,
): Promise<void> {
  const { view, options, bequest } = offer;
  const state = await offer.state().catch(() => null);
  if (state === null || view.room === null || offer.invitation.secret === null) {
    offer.decline();
    return;
  }
  const past = await offer.past().catch(() => []);
  const { phase, settings } = view.room;
  const rounds = roundsUntil(state.version, view.rounds, offer.bequest.reports);
  const { heritage, best, before, table } = bequest;
  const { model, weights, lora, training, policy } = settings;
  const request: HostRequest = {
    ...{ model, weights, lora, training, origin: environment.origin },
    task: { ...heritage.task, ...(table && { own: table }) },
    start: {
      kind: 'inherited',
      ...{ state, past },
      dataFingerprint: heritage.dataFingerprint,
      best: heritage.best && best && { ...heritage.best, values: best },
      before,
      scores: view.scores.filter(({ round }) => round <= state.version).map(scoreOf),
      devices: [...new Set(rounds.flatMap(({ devices }) => devices.map(({ device }) => device)))],
    },
  };
  const { patience, audits } = heritage;
  const chosen = { ...options, policy, patience, audits };
  const left = names.left(view.room);
  const own = ownSession(environment, request, chosen, inherited(environment, offer, state.version, rounds, left));
  const off = own.subscribe(({ room, ended }) => {
    if (room === null && ended === null) return;
    off();
    if (ended !== null) {
      offer.decline();
      return;
    }
    // First, so that whoever shows the session does not take its end as a device for the session's end.
    session.successor.emit({ session: own, host: own, joined: null });
    offer.retire();
    if (phase === 'training') own.start();
  });
}

const scoreOf = ({ round, metric, value, further = [] }: Offer['view']['scores'][number]) => ({
  ...{ round, metric, value, further },
});

function inherited(
  environment: SessionEnvironment,
  offer: Offer,
  round: number,
  rounds: SessionView['rounds'],
  left: readonly LogEntry[],
): Resumed {
  const { term, bequest, invitation, identity, options, view } = offer;
  const { door, cap, removed, admitted, patience, audits, given } = bequest.heritage;
  const { room, secret } = invitation;
  if (secret === null) throw new Error(say.withoutTheSessionsSecretNobody);
  const { policy = 'auto', hiddenStates, embeddings } = view.room?.settings ?? {};
  const report = (type: 'round' | 'score') => (of: unknown) => JSON.stringify({ type, report: of });
  return {
    worker: environment.startHostWorker(true),
    round,
    inherited: offer.seats,
    standings: standingsAfter({ told: bequest.standings, round, rounds }),
    note: {
      identity: { id: identity.id, name: options.name },
      // The session that goes on counts one more.
      term: term - 1,
      options: {
        ...{ policy, slowdown: options.slowdown, patience, audits },
        ...(hiddenStates && { hiddenStates }),
        ...(embeddings && { embeddings }),
      },
      finished: view.room?.phase === 'finished',
      savedAtMs: environment.nowMs(),
      log: [
        ...left.map((entry) => JSON.stringify(entry)),
        ...rounds.map(report('round')),
        ...view.scores.map(report('score')),
      ],
    },
    key: {
      ...identity,
      room,
      door: { secret, door, cap, removed: [...removed], admitted: [...admitted] },
      ...(given.length > 0 && { given: given.slice(0, MAX_DEVICES_IN_ROOM) }),
    },
  };
}
