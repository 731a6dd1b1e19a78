import type { Said } from '../said.ts';

// table-apart.ts
export const wasNotReadWithinSeconds = (name: Said, limitMs: Said): string =>
  `${name} was not read within ${limitMs} seconds; it may be damaged. Save it again, as CSV for example.`;
