import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface PageBytes {
  /** What the first screen fetches before it is drawn, as it travels in Brotli. */
  readonly html: number;
  readonly scripts: number;
  readonly styles: number;
  readonly total: number;
}

/** Bytes of the built page's first screen: what its index names, with all that is fetched ahead for it. */
export function firstScreenBytes(folder: string): PageBytes {
  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  const named = [...html.matchAll(/(?:src|href)="\.?\/?(assets\/[^"]+\.(?:js|css))"/g)].map(([, path = '']) => path);
  const travels = (path: string): number => {
    const compressed = statSync(join(folder, `${path}.br`), { throwIfNoEntry: false });
    return (compressed ?? statSync(join(folder, path))).size;
  };
  const sum = (end: string): number =>
    [...new Set(named)].filter((path) => path.endsWith(end)).reduce((all, path) => all + travels(path), 0);
  const sizes = { html: travels('index.html'), scripts: sum('.js'), styles: sum('.css') };
  return { ...sizes, total: sizes.html + sizes.scripts + sizes.styles };
}
