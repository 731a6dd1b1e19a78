/** Names that are easy to say across a room and tell nothing about the person. */
const YARNS = ['Linen', 'Woolen', 'Silken', 'Cotton', 'Hempen', 'Mohair', 'Merino', 'Velvet'] as const;
const TOOLS = ['Shuttle', 'Bobbin', 'Heddle', 'Spindle', 'Thimble', 'Treadle', 'Needle', 'Reed'] as const;

/** A friendly name from one random number in [0, 1). */
export function friendlyName(random: number): string {
  const place = Math.floor(random * YARNS.length * TOOLS.length);
  return `${YARNS[Math.floor(place / TOOLS.length)]!} ${TOOLS[place % TOOLS.length]!}`;
}
