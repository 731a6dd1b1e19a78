import { readdirSync, readFileSync } from 'node:fs';

export const ROOT = new URL('../../', import.meta.url);

const SKIPPED = new Set(['node_modules', '.git', 'dist', 'out', 'coverage']);

export interface ProjectFile {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** The project's own files whose path is wanted, in path order. */
export function projectFiles(wanted: (path: string) => boolean): readonly ProjectFile[] {
  const paths: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(new URL(folder, ROOT), { withFileTypes: true })) {
      const path = folder + entry.name;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(`${path}/`);
      else if (entry.isFile() && wanted(path)) paths.push(path);
    }
  };
  walk('');
  return paths.sort().map((path) => ({ path, text: readFileSync(new URL(path, ROOT), 'utf8') }));
}
