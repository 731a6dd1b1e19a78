import { useEffect, useMemo, useState } from 'preact/hooks';
import { ownPhone } from '../../tab/phone/phone.ts';
import type { ScreenLock } from '../../tab/phone/phone-step.ts';

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

/** Keeps the screen on while `wanted`. */
export function useWakeLock(wanted: boolean): ScreenLock {
  const phone = useMemo(ownPhone, []);
  const [lock, setLock] = useState(phone.lock);
  useEffect(() => phone.onLock(setLock), [phone]);
  useEffect(() => {
    phone.want(wanted);
    return () => phone.want(false);
  }, [wanted]);
  return lock;
}
