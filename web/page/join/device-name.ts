import { MAX_NAME_LENGTH } from '../../../signaling/protocol/limits.ts';

/** Names that are easy to say across a room and tell nothing about the person. */
const YARNS = ['Linen', 'Woolen', 'Silken', 'Cotton', 'Hempen', 'Mohair', 'Merino', 'Velvet'] as const;
const TOOLS = ['Shuttle', 'Bobbin', 'Heddle', 'Spindle', 'Thimble', 'Treadle', 'Needle', 'Reed'] as const;

/** A friendly name from one random number in [0, 1). */
export function friendlyName(random: number): string {
  const place = Math.floor(random * YARNS.length * TOOLS.length);
  return `${YARNS[Math.floor(place / TOOLS.length)]!} ${TOOLS[place % TOOLS.length]!}`;
}

/** What is wrong with a name, or null. */
export function checkName(name: string): string | null {
  const length = name.trim().length;
  if (length === 0) return 'Give this device a name, so that others know it in the picture.';
  return length > MAX_NAME_LENGTH ? `A name has ${MAX_NAME_LENGTH} characters at most; this one has ${length}.` : null;
}
