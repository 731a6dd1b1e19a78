/**
 * Who is to be host when a room's host is gone. Terms count hosts, as in Raft, and the server is the only one who gives them out: so no two
 * devices are ever host in one term, and of two that both think they are the one with the higher term is.
 *
 * A host is lost when its connection is, or when it is silent on it for long. After a while its role is offered to one device at a time, each time under a term of its own: to
 * one that holds the newest round of those that may go on from it. Whoever is seated as host ends that, be it the device that took the offer
 * or the host that was away. While most devices still have their link to the host, only the server has lost it, and nothing is offered.
 */

export interface Succession {
  /** The highest term that was given out, or that this server was shown proof of. */
  readonly term: number;
  /** The one that the last host was in: an offer that nobody took is proof of no host. */
  readonly seated: number;
  /** Null while there is a host. */
  readonly lost: Lost | null;
}

export interface Lost {
  /** No offer before. */
  readonly fromMs: number;
  /** While most are linked, they are asked again no sooner. */
  readonly askMs: number;
  /** What devices said since, by their ids. */
  readonly holdings: Readonly<Record<string, Holding>>;
  /** Those that were offered the role and did not take it. */
  readonly declined: readonly string[];
  readonly offer: { readonly device: string; readonly term: number; readonly untilMs: number } | null;
}

/** What a device could go on from. */
export interface Holding {
  /** Of the host that it heard last. */
  readonly term: number;
  readonly round: number;
  /** Whether it has all that a host needs: the state, the invitation's secret, and a way to the data. */
  readonly able: boolean;
  /** Whether its link to the host is up. */
  readonly linked: boolean;
}

export type SuccessionEvent =
  /** The host's connection is gone, or silent, and nothing is offered before `fromMs`. */
  | { readonly type: 'lost'; readonly fromMs: number }
  /** A device proved that there was a host in this term. */
  | { readonly type: 'learned'; readonly term: number }
  /** A host is seated, in a term that it was given, or speaks again on its seat; it may call its own term by a later number. */
  | { readonly type: 'seated'; readonly term: number; readonly own?: number }
  | { readonly type: 'holding'; readonly device: string; readonly holding: Holding }
  | { readonly type: 'gone'; readonly device: string }
  | { readonly type: 'declined'; readonly device: string; readonly term: number }
  /** It may be time. */
  | { readonly type: 'time' };

export type SuccessionEffect =
  /** Every device should say what it holds. */
  | { readonly type: 'ask' }
  | { readonly type: 'offer'; readonly device: string; readonly term: number }
  | { readonly type: 'wakeAt'; readonly atMs: number };

/** An offer that is not taken by then goes to the next device: opening a task may mean to download it. */
export const OFFER_MS = 30_000;
/** While most devices are linked to a host that the server has lost, it asks them again after so long. */
export const LOOK_AGAIN_MS = 2000;

export const newSuccession = (term: number): Succession => ({ term, seated: term, lost: null });

/** Whether this device may be seated as host in this term: it was offered that, and the offer stands. */
export const mayTake = ({ lost }: Succession, device: string, term: number): boolean =>
  lost?.offer?.device === device && lost.offer.term === term;

export interface SuccessionStep {
  readonly state: Succession;
  readonly effects: readonly SuccessionEffect[];
}

export function stepSuccession(before: Succession, event: SuccessionEvent, nowMs: number): SuccessionStep {
  const state = applied(before, event);
  if (state.lost === null) return { state, effects: [] };
  const asked: SuccessionEffect[] = before.lost === null ? [{ type: 'ask' }] : [];
  const { state: after, effects } = offered(state, state.lost, nowMs);
  return { state: after, effects: [...asked, ...effects] };
}

function applied(state: Succession, event: SuccessionEvent): Succession {
  const { lost, seated, term } = state;
  if (event.type === 'seated')
    return { term: Math.max(term, event.term, event.own ?? 0), seated: Math.max(seated, event.term), lost: null };
  // What was offered before under a term that somebody had already is offered no longer.
  if (event.type === 'learned')
    return {
      term: Math.max(term, event.term),
      seated: Math.max(seated, event.term),
      lost: lost && { ...lost, offer: null },
    };
  if (event.type === 'lost') return lost === null ? { ...state, lost: newlyLost(event.fromMs) } : state;
  if (lost === null) return state;
  switch (event.type) {
    case 'holding':
      return { ...state, lost: { ...lost, holdings: { ...lost.holdings, [event.device]: event.holding } } };
    case 'gone': {
      const { [event.device]: _, ...holdings } = lost.holdings;
      const offer = lost.offer?.device === event.device ? null : lost.offer;
      return { ...state, lost: { ...lost, holdings, offer } };
    }
    case 'declined': {
      const { device } = event;
      if (lost.offer?.device !== device || lost.offer.term !== event.term) return state;
      return { ...state, lost: { ...lost, offer: null, declined: [...lost.declined, device] } };
    }
    case 'time':
      return state;
  }
}

const newlyLost = (fromMs: number): Lost => ({ fromMs, askMs: fromMs, holdings: {}, declined: [], offer: null });

function offered(before: Succession, lost: Lost, nowMs: number): SuccessionStep {
  const { offer, fromMs } = lost;
  const { term } = before;
  if (offer !== null && nowMs < offer.untilMs) return { state: { ...before, lost }, effects: [] };
  const open = offer === null ? lost : { ...lost, offer: null, declined: [...lost.declined, offer.device] };
  if (nowMs < fromMs) return { state: { ...before, lost: open }, effects: [{ type: 'wakeAt', atMs: fromMs }] };
  const all = Object.entries(open.holdings);
  const linked = all.filter(([, { linked }]) => linked).length;
  if (2 * linked > all.length) {
    // The alarm of the last time is still to come.
    if (nowMs < open.askMs) return { state: { ...before, lost: open }, effects: [] };
    const askMs = nowMs + LOOK_AGAIN_MS;
    // Asked again, since a device need not know that its link's end is news here: it may not see the host as gone.
    return {
      state: { ...before, lost: { ...open, askMs } },
      effects: [{ type: 'ask' }, { type: 'wakeAt', atMs: askMs }],
    };
  }
  const able = all.filter(([device, { able }]) => able && !open.declined.includes(device));
  const [first] = able.sort(newestFirst);
  if (first === undefined) return { state: { ...before, lost: open }, effects: [] };
  const [device] = first;
  const next = { device, term: term + 1, untilMs: nowMs + OFFER_MS };
  return {
    state: { ...before, term: next.term, lost: { ...open, offer: next } },
    effects: [
      { type: 'offer', device, term: next.term },
      { type: 'wakeAt', atMs: next.untilMs },
    ],
  };
}

/** Of equals the one whose id comes first: the same devices give the same answer. */
const newestFirst = ([a, x]: [string, Holding], [b, y]: [string, Holding]): number =>
  y.term - x.term || y.round - x.round || (a < b ? -1 : 1);
