/**
 * How many times longer everything takes because devices of one computer compute at the same time. One that is `slowdown` times slower rests for
 * all but a part 1 / slowdown of its time; beyond `processors` such parts they wait for each other.
 */
export function processorShare(slowdowns: readonly number[], processors: number): number {
  const busy = slowdowns.reduce((sum, slowdown) => sum + 1 / slowdown, 0);
  return Math.max(1, busy / Math.max(1, processors));
}
