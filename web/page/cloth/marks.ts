/** How devices are told apart: a letter, a yarn and a weave. No two of 64 devices share both yarn and weave. */
export interface Mark {
  /** "A" to "Z", then "AA", "AB", … */
  readonly letter: string;
  /** Index of a yarn colour, `--yarn-<n>` in tokens.css. */
  readonly yarn: number;
  /** Index into WEAVES. */
  readonly weave: number;
}

/** Yarn colours in tokens.css. */
export const YARNS = 8;

/**
 * Weave drafts as weavers write them: one row per weft pick, `#` where the warp lies on top. Each repeats in both directions.
 */
export const WEAVES: readonly (readonly string[])[] = [
  ['#.', '.#'], // plain
  ['##..', '.##.', '..##', '#..#'], // twill
  ['##..', '##..', '..##', '..##'], // basket
  ['#...', '.#..', '..#.', '.#..'], // chevron
  ['#....', '..#..', '....#', '.#...', '...#.'], // satin
  ['##..', '..##'], // weft rib
  ['#.', '#.', '.#', '.#'], // warp rib
  ['..#.', '.###', '..#.', '#...'], // crosses
];

export function markOf(place: number): Mark {
  const first = Math.floor(place / 26);
  const letter = `${first === 0 ? '' : String.fromCharCode(64 + first)}${String.fromCharCode(65 + (place % 26))}`;
  return { letter, yarn: place % YARNS, weave: (place + Math.floor(place / YARNS)) % WEAVES.length };
}

/** Device ids by place; null where a device left and the next newcomer may sit. */
export type Seats = readonly (string | null)[];

/** Keeps everybody's mark when others come and go: who stays keeps the seat, a newcomer takes the first free one. */
export function seated(seats: Seats, devices: readonly string[]): Seats {
  const next: (string | null)[] = seats.map((device) => (device !== null && devices.includes(device) ? device : null));
  for (const device of devices) {
    if (next.includes(device)) continue;
    const free = next.indexOf(null);
    if (free === -1) next.push(device);
    else next[free] = device;
  }
  return next.length === seats.length && next.every((device, i) => device === seats[i]) ? seats : next;
}

export function markFor(seats: Seats, device: string): Mark {
  const seat = seats.indexOf(device);
  return markOf(seat === -1 ? seats.length : seat);
}
