import { posix } from 'node:path';
import type { ImportKind, ModuleSyntax } from './module-syntax.ts';

import { words, ZONES, type Zone } from './zones.ts';

/** Packages that only run in Node; they would break a page, or make it huge. */
const SERVER_PACKAGES = words('peer ws vite tsx @roamhq/wrtc webgpu puppeteer-core');

export interface Module {
  readonly path: string;
  readonly syntax: ModuleSyntax;
}

/** A path of ours that a relative specifier means, or undefined for a package's or a Node module's name. */
export function resolveLocal(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;
}

function packageName(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

function importViolation(
  zone: Zone,
  from: string,
  target: { specifier: string | undefined; kind: ImportKind },
  context: { zones: readonly Zone[]; dependencies: ReadonlySet<string> },
): string | undefined {
  const { specifier, kind } = target;
  if (specifier === undefined) {
    return zone.packages === 'any' ? undefined : 'imports a module whose name is computed';
  }
  const local = resolveLocal(from, specifier);
  if (local !== undefined) {
    const owner = context.zones.find((z) => z.owns.test(local));
    if (owner === undefined) {
      return /^(test|models)\//.test(local) || local.startsWith('..') ? `imports ${local}` : undefined;
    }
    if (owner === zone) return undefined;
    if (kind === 'url') return zone.starts.some((r) => r.test(local)) ? undefined : `starts ${local}`;
    if (zone.imports.includes(owner.name)) return undefined;
    if (!zone.types.some((r) => r.test(local))) return `imports ${local}`;
    return kind === 'type' ? undefined : `imports more than types from ${local}`;
  }
  if (kind === 'url') return undefined;
  if (/^(node|bun|deno):/.test(specifier)) return zone.node ? undefined : `imports ${specifier}`;
  const name = packageName(specifier);
  if (zone.packages !== 'any' && !zone.packages.includes(name)) return `imports the package ${name}`;
  if (!zone.node && SERVER_PACKAGES.has(name)) return `imports the package ${name}, which runs in Node only`;
  // A dynamic import may fail and be caught: that is how a development tool (Dawn for Node) is used where it is installed.
  return context.dependencies.has(name) || kind === 'dynamic' || kind === 'type'
    ? undefined
    : `imports ${name}, which package.json's dependencies do not name`;
}

/** One line for each breach of the import rule and of purity; empty where all is well. */
export function violations(
  modules: readonly Module[],
  dependencies: ReadonlySet<string>,
  zones: readonly Zone[] = ZONES,
): readonly string[] {
  return modules.flatMap(({ path, syntax }) => {
    const zone = zones.find((z) => z.owns.test(path));
    if (zone === undefined) return [];
    const found = syntax.imports
      .map((target) => importViolation(zone, path, target, { zones, dependencies }))
      .filter((text) => text !== undefined);
    for (const forbidden of zone.without) {
      for (const name of [...syntax.globals, ...syntax.globalMembers]) {
        if (forbidden.has(name)) found.push(`uses ${name}`);
      }
    }
    return found.map((text) => `${path} ${text}`);
  });
}

/** Paths of ours that a module names in any way but by starting them; type-only imports are arrows like all others. */
function arrowsOf({ path, syntax }: Module, known: ReadonlySet<string>): readonly string[] {
  return syntax.imports.flatMap(({ specifier, kind }) => {
    const local = specifier === undefined || kind === 'url' ? undefined : resolveLocal(path, specifier);
    return local !== undefined && local !== path && known.has(local) ? [local] : [];
  });
}

/** Strongly connected sets of more than one place, each sorted, in the order of their first names (Tarjan 1972). */
function circles(arrows: ReadonlyMap<string, ReadonlySet<string>>): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const walk = (place: string): number => {
    const at = index.size;
    index.set(place, at);
    let lowest = at;
    stack.push(place);
    for (const next of arrows.get(place) ?? []) {
      if (!index.has(next)) lowest = Math.min(lowest, walk(next));
      else if (stack.includes(next)) lowest = Math.min(lowest, index.get(next) ?? at);
    }
    low.set(place, lowest);
    if (lowest === at) {
      const circle = stack.splice(stack.indexOf(place));
      if (circle.length > 1) found.push(circle.sort());
    }
    return lowest;
  };
  for (const place of arrows.keys()) if (!index.has(place)) walk(place);
  return found.sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

/** Files that import each other in a circle. A type import closes a circle too: neither file can be understood, or moved, alone. */
export function fileCircles(modules: readonly Module[]): readonly (readonly string[])[] {
  const known = new Set(modules.map((m) => m.path));
  return circles(new Map(modules.map((m) => [m.path, new Set(arrowsOf(m, known))])));
}

/**
 * Folders inside one top folder that import each other in a circle; a folder holds its own files, not those of folders inside it.
 * Between the top folders the zones speak.
 */
export function folderCircles(modules: readonly Module[]): readonly (readonly string[])[] {
  const known = new Set(modules.map((m) => m.path));
  const arrows = new Map<string, Set<string>>();
  for (const module of modules) {
    const from = posix.dirname(module.path);
    const named = arrows.get(from) ?? new Set();
    arrows.set(from, named);
    for (const path of arrowsOf(module, known)) {
      const to = posix.dirname(path);
      if (to !== from && to.split('/')[0] === from.split('/')[0]) named.add(to);
    }
  }
  return circles(arrows);
}

/** More than these many sources are no longer one room. */
export const MAX_FILES_IN_FOLDER = 15;

/** Folders with more sources than MAX_FILES_IN_FOLDER, as `folder: count`. */
export function crowdedFolders(paths: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(posix.dirname(path), (counts.get(posix.dirname(path)) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > MAX_FILES_IN_FOLDER).map(([folder, count]) => `${folder}: ${count}`);
}

/** Sources of one folder that share a base name, such as `cloth.ts` and `cloth.tsx`: whoever looks for one finds the other. CSS is told apart by what it is. */
export function twins(paths: readonly string[]): readonly string[] {
  const stems = paths.map((path) => path.replace(/(\.d)?\.tsx?$/, ''));
  return [...new Set(stems.filter((stem, i) => stems.indexOf(stem) !== i))].sort();
}
