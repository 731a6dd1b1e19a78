/** How quantities and lists are said to people. Everything the page writes goes through here, so that it reads alike everywhere. */

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

/** A time to come, rounded so that it does not twitch: "a few seconds", "about 20 s", "about 3 min", "about 2 h". */
export function timeLeftText(seconds: number): string {
  if (seconds < 8) return 'a few seconds';
  if (seconds < 55) return `about ${Math.ceil(seconds / 10) * 10} s`;
  if (seconds < 55 * 60) return `about ${Math.max(1, Math.round(seconds / 60))} min`;
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

/** "a", "a and b", "a, b and c". */
export function listText(items: readonly string[]): string {
  if (items.length < 2) return items[0] ?? '';
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** Ascending whole numbers with runs drawn together: [0, 2, 3, 4] is "0 and 2–4". */
export function rangesText(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const n of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === n - 1) last[1] = n;
    else runs.push([n, n]);
  }
  return listText(
    runs.flatMap(([a, b]) => (a === b ? [`${a}`] : b === a + 1 && runs.length > 1 ? [`${a}`, `${b}`] : [`${a}–${b}`])),
  );
}

/** What a device trains: "the head", "layer 3", "layers 4–5 and the head", "nothing". */
export function blocksText(layers: readonly number[], head: boolean): string {
  if (layers.length === 0) return head ? 'the head' : 'nothing';
  const named = `${layers.length === 1 ? 'layer' : 'layers'} ${rangesText(layers)}`;
  return head ? `${named}${named.includes(' and ') ? ', and the head' : ' and the head'}` : named;
}

export function countText(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
