/**
 * What a tab is at that a browser may end it for, and how much memory that may take. It is written down before, because a phone's browser ends a
 * tab that takes too much without a word; whoever leaves the page takes it away again.
 */
export interface Crumb {
  readonly what: 'load' | 'measure' | 'train';
  /** The model's id. */
  readonly model: string;
  readonly bytes: number;
  /** At a time; 0 where nothing is trained. */
  readonly samples: number;
  /** The tab is in the background, where browsers end tabs for the sake of others. */
  readonly hidden: boolean;
}

/** What this browser knows of tabs that ended. */
export interface Past {
  /** What training may claim since; null for as much as ever. */
  readonly claimBytes: number | null;
  /** The last one that ended, until a session after it went well. */
  readonly ended: Crumb | null;
}

export const NOTHING_PAST: Past = { claimBytes: null, ended: null };

/** Less is of no use to a session. */
const LEAST_CLAIM_BYTES = 5e7;
/** With each session that goes well. */
const RAISE = 1.25;
const MAX_MODEL_LENGTH = 200;

/** A tab ended while it was at this: half of what it took may be claimed from now on, where it was not in the background. */
export function afterEnd(past: Past, ended: Crumb, mostBytes: number): Past {
  if (ended.hidden) return { ...past, ended };
  const before = Math.min(past.claimBytes ?? mostBytes, ended.bytes);
  return { claimBytes: Math.max(LEAST_CLAIM_BYTES, Math.floor(before / 2)), ended };
}

/** A session in which this device trained came to its end: a quarter more may be tried the next time. */
export function afterSuccess({ claimBytes }: Past, mostBytes: number): Past {
  const raised = claimBytes === null ? mostBytes : claimBytes * RAISE;
  return raised >= mostBytes ? NOTHING_PAST : { claimBytes: Math.floor(raised), ended: null };
}

export const crumbText = (crumb: Crumb): string => JSON.stringify(crumb);
export const pastText = (past: Past): string => JSON.stringify(past);

/** As `crumbText` wrote it; null for anything else, since a person, or another page of the same origin, may have written there. */
export const parseCrumb = (text: string | null): Crumb | null => crumbOf(parsed(text));

export function parsePast(text: string | null): Past {
  const value = parsed(text);
  const claimBytes: unknown = value === null ? null : Reflect.get(value, 'claimBytes');
  const ended: unknown = value === null ? null : Reflect.get(value, 'ended');
  return {
    claimBytes: isAmount(claimBytes) && claimBytes >= LEAST_CLAIM_BYTES ? claimBytes : null,
    ended: typeof ended === 'object' && ended !== null ? crumbOf(ended) : null,
  };
}

function crumbOf(value: object | null): Crumb | null {
  if (value === null) return null;
  const of = (name: keyof Crumb): unknown => Reflect.get(value, name);
  const [what, model, bytes, samples, hidden] = [of('what'), of('model'), of('bytes'), of('samples'), of('hidden')];
  if (what !== 'load' && what !== 'measure' && what !== 'train') return null;
  if (typeof model !== 'string' || model.length > MAX_MODEL_LENGTH || typeof hidden !== 'boolean') return null;
  return isAmount(bytes) && isAmount(samples) ? { what, model, bytes, samples, hidden } : null;
}

function parsed(text: string | null): object | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

const isAmount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
