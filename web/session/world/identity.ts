import { idFromBytes } from '../../../signaling/protocol/ids.ts';
import type { SessionEnvironment } from './environment.ts';

export const KEY_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** What proves to the server that a reconnecting tab is the one that joined. */
export interface Identity {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly kind: 'tab' | 'headless';
}

export function newIdentity(environment: SessionEnvironment, name: string): Identity {
  const random = (length: number): string => idFromBytes(environment.randomBytes(length), KEY_ALPHABET);
  return { id: random(12), key: random(32), name, kind: environment.kind };
}
