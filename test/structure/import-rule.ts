import { posix } from 'node:path';
import type { ImportKind, ModuleSyntax } from './module-syntax.ts';

/**
 * Who may import whom, and which folders stay pure. A type-only import counts like any other: it is what a reader must know and what
 * breaks when the other side moves. Only where a line below says `types` may a folder name another's types without running its code.
 */

export interface Zone {
  readonly name: string;
  /** True for paths (posix, from the project's root) that belong here; the first zone that matches wins. */
  readonly owns: RegExp;
  /** Zones whose modules this one may import in any way, besides itself. */
  readonly imports: readonly string[];
  /** Modules of ours of which it may import types, no more. */
  readonly types: readonly RegExp[];
  /** Modules of ours that it may start as workers by URL. */
  readonly starts: readonly RegExp[];
  /** npm packages it may import; `any` is every one in package.json's `dependencies`. */
  readonly packages: readonly string[] | 'any';
  readonly node: boolean;
  /** Sets of globals (and `object.property` pairs) that it must do without. */
  readonly without: readonly ReadonlySet<string>[];
}

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

export const DOM = words(`
  document window navigator location history screen localStorage sessionStorage indexedDB caches alert confirm prompt
  requestAnimationFrame cancelAnimationFrame getComputedStyle matchMedia addEventListener HTMLElement Element Document Window
  HTMLCanvasElement HTMLInputElement SVGElement MutationObserver ResizeObserver IntersectionObserver customElements DOMParser`);

export const NODE = words(
  `process Buffer require module exports __dirname __filename setImmediate clearImmediate global NodeJS`,
);

export const CLOCKS_AND_CHANCE = words(`
  Date performance setTimeout setInterval clearTimeout clearInterval queueMicrotask crypto Math.random`);

export const INPUT_AND_OUTPUT = words(`
  fetch XMLHttpRequest WebSocket EventSource RTCPeerConnection RTCDataChannel Worker SharedWorker MessageChannel MessagePort
  BroadcastChannel self globalThis postMessage onmessage console GPU GPUDevice GPUBuffer WebAssembly`);

const PURE = [DOM, NODE, CLOCKS_AND_CHANCE, INPUT_AND_OUTPUT];

export const ZONES: readonly Zone[] = [
  {
    name: 'signaling/protocol',
    owns: /^signaling\/protocol\//,
    imports: [],
    types: [],
    starts: [],
    packages: ['valibot'],
    node: false,
    without: PURE,
  },
  {
    name: 'signaling/planner',
    owns: /^signaling\/planner\//,
    imports: ['signaling/protocol'],
    types: [],
    starts: [],
    packages: ['valibot'],
    node: false,
    without: PURE,
  },
  {
    name: 'signaling/room',
    owns: /^signaling\/room\//,
    imports: ['signaling/protocol', 'signaling/planner'],
    types: [],
    starts: [],
    packages: ['valibot'],
    node: false,
    without: PURE,
  },
  {
    name: 'signaling/simulate',
    owns: /^signaling\/simulate\//,
    imports: ['signaling/protocol', 'signaling/planner'],
    types: [],
    starts: [],
    packages: ['valibot'],
    node: false,
    without: PURE,
  },
  {
    // How Node starts a TypeScript module on a thread; both the server and headless devices need it, and it needs nobody.
    name: 'signaling/node/start-thread',
    owns: /^signaling\/node\/start-thread\.ts$/,
    imports: [],
    types: [],
    starts: [],
    packages: 'any',
    node: true,
    without: [DOM],
  },
  {
    // Knows neither worker/ nor web/: no code that could read a token, a weight or a gradient is within its reach.
    name: 'signaling/server',
    owns: /^signaling\/server\//,
    imports: ['signaling/protocol', 'signaling/planner', 'signaling/room', 'signaling/node/start-thread'],
    types: [],
    starts: [],
    packages: 'any',
    node: true,
    without: [DOM],
  },
  {
    // What Node must be given to run a session: the twin of web/tab.
    name: 'signaling/node',
    owns: /^signaling\/node\//,
    imports: [
      'signaling/protocol',
      'signaling/node/start-thread',
      'worker/api',
      'worker',
      'worker/node',
      'web/session',
    ],
    types: [],
    starts: [/^worker\/node\//],
    packages: 'any',
    node: true,
    without: [],
  },
  {
    // The command line is the one place that may know everything but the page.
    name: 'signaling/cli',
    owns: /^signaling\/(cli\/|tabloom\.ts$)/,
    imports: [
      'signaling/protocol',
      'signaling/planner',
      'signaling/room',
      'signaling/simulate',
      'signaling/server',
      'signaling/node',
      'signaling/node/start-thread',
      'worker/api',
      'worker',
      'worker/node',
      'web/session',
    ],
    types: [],
    starts: [/^worker\/node\//],
    packages: 'any',
    node: true,
    without: [],
  },
  {
    // What a session may ask of its workers: types, and the floor of worker/.
    name: 'worker/api',
    owns: /^worker\/api\//,
    imports: ['signaling/protocol'],
    types: [],
    starts: [],
    packages: [],
    node: false,
    without: PURE,
  },
  {
    // What a worker needs in a headless device and no page may load.
    name: 'worker/node',
    owns: /^worker\/node\//,
    imports: ['signaling/protocol', 'worker/api', 'worker'],
    types: [],
    starts: [],
    packages: 'any',
    node: true,
    without: [DOM],
  },
  {
    name: 'worker',
    owns: /^worker\//,
    imports: ['signaling/protocol', 'worker/api'],
    types: [],
    starts: [],
    packages: 'any',
    node: false,
    without: [words('document window localStorage sessionStorage Math.random')],
  },
  {
    // Timers are its business; the time of day and unseeded chance are not.
    name: 'web/session',
    owns: /^web\/session\//,
    imports: ['signaling/protocol'],
    types: [/^worker\/api\//],
    starts: [],
    packages: ['peerjs', 'comlink', 'valibot'],
    node: false,
    without: [DOM, NODE, words('Math.random Date.now')],
  },
  {
    // The real world for a session in a tab: the twin of signaling/node.
    name: 'web/tab',
    owns: /^web\/tab\//,
    imports: ['signaling/protocol', 'web/session'],
    types: [/^worker\/api\//],
    starts: [/^worker\/(device|host)\/[^/]+-worker\.ts$/],
    packages: ['peerjs', 'comlink', 'valibot'],
    node: false,
    without: [NODE],
  },
  {
    name: 'web/page',
    owns: /^web\/(page\/|main\.tsx$)/,
    imports: ['signaling/protocol', 'web/session', 'web/tab'],
    types: [/^worker\/api\//],
    starts: [],
    packages: 'any',
    node: false,
    without: [NODE],
  },
];

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
