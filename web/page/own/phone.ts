import { useEffect, useState } from 'preact/hooks';

/** What a browser tells of the device itself. */

export interface Battery {
  /** 0 to 1. */
  readonly level: number;
  readonly charging: boolean;
}

interface BatteryManager extends EventTarget, Battery {}

const isBattery = (value: unknown): value is BatteryManager =>
  value instanceof EventTarget &&
  'level' in value &&
  typeof value.level === 'number' &&
  'charging' in value &&
  typeof value.charging === 'boolean';

const CHANGES = ['levelchange', 'chargingchange'] as const;

/** Null where the browser does not tell: all but Chromium's. */
export function useBattery(): Battery | null {
  const [battery, setBattery] = useState<Battery | null>(null);
  useEffect(() => {
    const ask: unknown = Reflect.get(navigator, 'getBattery');
    if (typeof ask !== 'function') return;
    let over = false;
    let found: BatteryManager | null = null;
    const take = (): void => {
      if (found !== null) setBattery({ level: found.level, charging: found.charging });
    };
    const answer: unknown = Reflect.apply(ask, navigator, []);
    Promise.resolve(answer).then(
      (value: unknown) => {
        if (over || !isBattery(value)) return;
        found = value;
        take();
        for (const change of CHANGES) found.addEventListener(change, take);
      },
      () => undefined,
    );
    return () => {
      over = true;
      for (const change of CHANGES) found?.removeEventListener(change, take);
    };
  }, []);
  return battery;
}

/** `absent`: on plain http from another machine, and in old browsers. `refused`: at low battery, for example. */
export type ScreenLock = 'on' | 'asking' | 'refused' | 'absent';

/** Keeps the screen on while `wanted`; browsers drop the lock with the tab's visibility, so it is asked for again. */
export function useWakeLock(wanted: boolean): ScreenLock {
  const [state, setState] = useState<ScreenLock>('asking');
  useEffect(() => {
    // Training goes on either way.
    if (!('wakeLock' in navigator)) return setState('absent');
    if (!wanted) return setState('asking');
    let over = false;
    let lock: WakeLockSentinel | null = null;
    const ask = async (): Promise<void> => {
      if (document.visibilityState !== 'visible') return;
      try {
        const got = await navigator.wakeLock.request('screen');
        if (over) return void (await got.release());
        lock = got;
        setState('on');
      } catch {
        lock = null;
        if (!over) setState('refused');
      }
    };
    void ask();
    document.addEventListener('visibilitychange', ask);
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', ask);
      void lock?.release();
    };
  }, [wanted]);
  return state;
}
