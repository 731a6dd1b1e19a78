/**
 * What a browser tells of its tab and its device, and what follows: whether the screen is to stay on, what the room is told, and when
 * connections are to be looked at because the way to the others may be another one. A function of state and event; times are those of the rim.
 */

/** `absent`: on plain http from another machine, and in old browsers. `refused`: at low battery, for example. */
export type ScreenLock = 'none' | 'asking' | 'on' | 'refused' | 'absent';

export interface Phone {
  /** Null while the tab is in front; since when it is not. */
  readonly hiddenSinceMs: number | null;
  readonly isFrozen: boolean;
  readonly isOnline: boolean;
  /** As the browser calls what it is connected by; '' where it does not say. */
  readonly network: string;
  /** A session wants the screen to stay on. */
  readonly isWanted: boolean;
  readonly lock: ScreenLock;
}

export type PhoneEvent =
  | { readonly type: 'want'; readonly wanted: boolean }
  | { readonly type: 'shown' | 'hidden'; readonly atMs: number }
  /** The browser gave the lock, would not, or took it back. */
  | { readonly type: 'granted' | 'refused' | 'released' }
  /** The page stops for a while, and goes on; also where it comes back from the browser's store of pages. */
  | { readonly type: 'frozen' | 'thawed' }
  | { readonly type: 'online' | 'offline' }
  | { readonly type: 'network'; readonly network: string };

export type PhoneEffect =
  | 'ask for the lock'
  | 'give the lock back'
  | 'tell hidden'
  | 'tell shown'
  /** Connections may be dead without having said so. */
  | 'look at connections';

export interface PhoneStep {
  readonly state: Phone;
  readonly effects: readonly PhoneEffect[];
}

/** Phones put away a tab that is hidden for longer, without a word. */
const ASLEEP_MS = 5000;

export function stepPhone(state: Phone, event: PhoneEvent): PhoneStep {
  switch (event.type) {
    case 'want':
      return withLock({ ...state, isWanted: event.wanted });
    case 'hidden':
      if (state.hiddenSinceMs !== null) return { state, effects: [] };
      // Browsers drop the lock with the tab's place in front.
      return {
        state: { ...state, hiddenSinceMs: event.atMs, lock: state.lock === 'absent' ? 'absent' : 'none' },
        effects: ['tell hidden'],
      };
    case 'shown': {
      if (state.hiddenSinceMs === null) return { state, effects: [] };
      const asleep = event.atMs - state.hiddenSinceMs >= ASLEEP_MS;
      const { state: shown, effects } = withLock({ ...state, hiddenSinceMs: null, isFrozen: false });
      return {
        state: shown,
        effects: ['tell shown', ...(asleep ? (['look at connections'] as const) : []), ...effects],
      };
    }
    case 'granted':
      return withLock({ ...state, lock: 'on' });
    case 'refused':
      return { state: state.lock === 'asking' ? { ...state, lock: 'refused' } : state, effects: [] };
    case 'released':
      return state.lock === 'on' ? withLock({ ...state, lock: 'none' }) : { state, effects: [] };
    case 'frozen':
      return { state: { ...state, isFrozen: true }, effects: [] };
    case 'thawed':
      return state.isFrozen
        ? { state: { ...state, isFrozen: false }, effects: ['look at connections'] }
        : { state, effects: [] };
    case 'offline':
      return { state: { ...state, isOnline: false }, effects: [] };
    case 'online':
      return { state: { ...state, isOnline: true }, effects: state.isOnline ? [] : ['look at connections'] };
    case 'network': {
      const isOther = event.network !== state.network;
      return {
        state: { ...state, network: event.network },
        effects: isOther && state.isOnline && !state.isFrozen ? ['look at connections'] : [],
      };
    }
    default:
      return event satisfies never;
  }
}

/** The lock as it should be: asked for in front, given back when nobody wants it, and not asked for again where it was refused. */
function withLock(state: Phone): PhoneStep {
  const { isWanted, lock, hiddenSinceMs } = state;
  if (isWanted && hiddenSinceMs === null && lock === 'none')
    return { state: { ...state, lock: 'asking' }, effects: ['ask for the lock'] };
  if (!isWanted && lock === 'on') return { state: { ...state, lock: 'none' }, effects: ['give the lock back'] };
  if (!isWanted && lock === 'refused') return { state: { ...state, lock: 'none' }, effects: [] };
  return { state, effects: [] };
}
