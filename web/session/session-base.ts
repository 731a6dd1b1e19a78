import { headParameterCount, layerParameterCount } from '../../signaling/protocol/adapter-size.ts';
import type { TensorSizes } from '../../signaling/protocol/data-messages.ts';
import { idFromBytes } from '../../signaling/protocol/ids.ts';
import type { DeviceView } from '../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import type { SessionEnvironment } from './environment.ts';
import { Emitter } from './message-link.ts';
import type { SessionView } from './view.ts';
import { firstView, reduceView, type ViewEvent } from './view-state.ts';

const KEY_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

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

/** Holds a session's view and tells its listeners; every change goes through the pure reducer. */
export class ViewStore {
  readonly #changed = new Emitter<SessionView>();
  readonly #startMs = performance.now();
  #view: SessionView;

  constructor(role: SessionView['role'], self: string) {
    this.#view = firstView(role, self);
  }

  get view(): SessionView {
    return this.#view;
  }

  dispatch(event: ViewEvent): void {
    this.#view = reduceView(this.#view, event);
    this.#changed.emit(this.#view);
  }

  notice(kind: 'news' | 'problem', sentence: string): void {
    const elapsedSeconds = (performance.now() - this.#startMs) / 1000;
    this.dispatch({ type: 'notice', kind, sentence, elapsedSeconds });
  }

  subscribe(listener: (view: SessionView) => void): () => void {
    return this.#changed.on(listener);
  }
}

/** What `work` comes to; meanwhile `look` is called again and again. It may be looking when the work is done, which `isDone` tells. */
export async function withProgress<T>(
  work: Promise<T>,
  everyMs: number,
  look: (isDone: () => boolean) => Promise<void>,
): Promise<T> {
  let done = false;
  const settled = work.finally(() => {
    done = true;
  });
  const watch = async (): Promise<void> => {
    while (!done) {
      await look(() => done);
      if (!done) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  const [result] = await Promise.all([settled, watch()]);
  return result;
}

/** What messages of this session are measured against. */
export function tensorSizes({ shape, lora, task }: SessionSettings): TensorSizes {
  const layer = layerParameterCount(shape, lora);
  const head = headParameterCount(shape, task.labelCount);
  return {
    parameterCount: shape.layers * layer + head,
    vocabSize: shape.vocabSize,
    blockLength: (block) => (block === 'head' ? head : block < shape.layers ? layer : undefined),
  };
}

/** Devices that can take work now. */
export const isReady = (device: DeviceView): boolean =>
  device.status.kind === 'ready' && device.profile !== null && device.linked;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
