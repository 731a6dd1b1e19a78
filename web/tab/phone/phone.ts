import { Emitter } from '../../session/world/emitter.ts';
import { type Phone, type PhoneEffect, type PhoneEvent, type ScreenLock, stepPhone } from './phone-step.ts';

/** The tab and the device that this page is on. */
class OwnPhone {
  readonly #locks = new Emitter<ScreenLock>();
  readonly #hidden = new Emitter<boolean>();
  readonly #moved = new Emitter<void>();
  readonly onLock = this.#locks.on;
  /** True while the tab is in the background. */
  readonly onHidden = this.#hidden.on;
  /** Connections may be dead without having said so: the device slept, or its network is another one. */
  readonly onMoved = this.#moved.on;
  #state: Phone;
  #sentinel: WakeLockSentinel | null = null;

  constructor() {
    this.#state = {
      hiddenSinceMs: document.hidden ? performance.now() : null,
      isFrozen: false,
      isOnline: navigator.onLine,
      network: networkName(),
      isWanted: false,
      lock: 'wakeLock' in navigator ? 'none' : 'absent',
    };
    const on = (target: EventTarget | null, type: string, event: () => PhoneEvent): void =>
      target?.addEventListener(type, () => this.#take(event()));
    on(document, 'visibilitychange', () => ({
      type: document.hidden ? 'hidden' : 'shown',
      atMs: performance.now(),
    }));
    on(document, 'freeze', () => ({ type: 'frozen' }));
    on(document, 'resume', () => ({ type: 'thawed' }));
    on(window, 'online', () => ({ type: 'online' }));
    on(window, 'offline', () => ({ type: 'offline' }));
    on(connection(), 'change', () => ({ type: 'network', network: networkName() }));
  }

  get lock(): ScreenLock {
    return this.#state.lock;
  }

  /** Keeps the screen on while it is wanted, as far as the browser lets us. */
  want(wanted: boolean): void {
    this.#take({ type: 'want', wanted });
  }

  #take(event: PhoneEvent): void {
    const { lock } = this.#state;
    const { state, effects } = stepPhone(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
    if (this.#state.lock !== lock) this.#locks.emit(this.#state.lock);
  }

  #do(effect: PhoneEffect): void {
    switch (effect) {
      case 'ask for the lock':
        void this.#ask();
        break;
      case 'give the lock back':
        void this.#sentinel?.release();
        break;
      case 'tell hidden':
      case 'tell shown':
        this.#hidden.emit(effect === 'tell hidden');
        break;
      case 'look at connections':
        this.#moved.emit();
        break;
      default:
        effect satisfies never;
    }
  }

  async #ask(): Promise<void> {
    try {
      const sentinel = await navigator.wakeLock.request('screen');
      this.#sentinel = sentinel;
      sentinel.addEventListener('release', () => {
        if (this.#sentinel === sentinel) this.#take({ type: 'released' });
      });
      this.#take({ type: 'granted' });
    } catch {
      this.#take({ type: 'refused' });
    }
  }
}

/** Null where the browser does not tell: all but Chromium's. */
function connection(): EventTarget | null {
  const found: unknown = Reflect.get(navigator, 'connection');
  return found instanceof EventTarget ? found : null;
}

function networkName(): string {
  const type: unknown = Reflect.get(connection() ?? {}, 'type');
  return typeof type === 'string' ? type : '';
}

let own: OwnPhone | null = null;

export function ownPhone(): OwnPhone {
  own ??= new OwnPhone();
  return own;
}
