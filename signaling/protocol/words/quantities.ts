import { countText } from './lists.ts';

/** How quantities are said to people, on the page and on a terminal alike. */

/** A measured or predicted time: "42 ms", "0.42 s", "4.2 s", "34 s", "2 min 5 s", "1 h 4 min". */
export function secondsText(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 0.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 3570) {
    const whole = Math.round(seconds);
    return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A time to come, rounded so that it does not twitch: "a few seconds", "about 20 s", "about 3 min", "about 2 h", "about 3 days". */
export function timeLeftText(seconds: number): string {
  if (seconds < 8) return 'a few seconds';
  if (seconds < 55) return `about ${Math.ceil(seconds / 10) * 10} s`;
  if (seconds < 55 * 60) return `about ${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds > 36 * 3600) return `about ${Math.round(seconds / 86_400)} days`;
  const halfHours = Math.round(seconds / 1800) / 2;
  return `about ${halfHours} h`;
}

/** Three significant digits at most, SI prefixes: "38 Mbit/s". */
export function rateText(bitsPerSecond: number): string {
  return `${prefixed(bitsPerSecond)}bit/s`;
}

export function bytesText(bytes: number): string {
  return `${prefixed(bytes)}B`;
}

/** "8.2 MB/s". */
export function byteRateText(bytesPerSecond: number): string {
  return `${prefixed(bytesPerSecond)}B/s`;
}

/** Floating-point operations: "12 GFLOP/s". */
export function flopsText(flopsPerSecond: number): string {
  return `${prefixed(flopsPerSecond)}FLOP/s`;
}

function prefixed(value: number): string {
  const steps = [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const;
  const [size, prefix] = steps.find(([step]) => value >= step * 0.9995) ?? [1, ''];
  const scaled = value / size;
  return `${scaled >= 9.95 || size === 1 ? Math.round(scaled) : scaled.toFixed(1)} ${prefix}`;
}

/** How long ago something was: "just now", "5 minutes ago", "3 hours ago", "12 days ago". */
export function agoText(elapsedMs: number): string {
  const minutes = elapsedMs / 60_000;
  const [count, unit] =
    minutes < 59.5 ? [minutes, 'minute'] : minutes < 23.5 * 60 ? [minutes / 60, 'hour'] : [minutes / 1440, 'day'];
  const whole = Math.round(count);
  return whole < 1 ? 'just now' : `${countText(whole, unit, `${unit}s`)} ago`;
}

/** A share of one as percent without decimals; only a whole one reads "100 %". */
export function percentText(share: number): string {
  return `${share >= 1 ? 100 : Math.min(99, Math.round(share * 100))} %`;
}
