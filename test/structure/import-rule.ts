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
    // The server and the command line, headless devices included: the one place that may know everything but the page.
    name: 'signaling',
    owns: /^signaling\//,
    imports: ['signaling/protocol', 'signaling/planner', 'signaling/room', 'worker', 'worker, headless', 'web/session'],
    types: [],
    starts: [/^worker\//],
    packages: 'any',
    node: true,
    without: [],
  },
  {
    // What a worker needs in a headless device and no page may load: `file-source.ts`, `node-worker.ts`, `device-node.ts`.
    name: 'worker, headless',
    owns: /^worker\/(.*\/)?((file|node)-[^/]+|[^/]+-node)\.ts$/,
    imports: ['signaling/protocol', 'worker'],
    types: [],
    starts: [/^worker\//],
    packages: 'any',
    node: true,
    without: [DOM],
  },
  {
    name: 'worker',
    owns: /^worker\//,
    imports: ['signaling/protocol'],
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
    types: [/^worker\/rpc\.ts$/],
    starts: [],
    packages: ['peerjs', 'comlink', 'valibot'],
    node: false,
    without: [DOM, NODE, words('Math.random Date.now')],
  },
  {
    name: 'web/page',
    owns: /^web\//,
    imports: ['signaling/protocol', 'web/session'],
    types: [/^signaling\/planner\//, /^worker\/rpc\.ts$/],
    starts: [/^worker\/[^/]+\.ts$/],
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

/** Modules that run each other in a ring, as `a -> b -> a`. A ring closed by a type-only import runs nothing and is left alone. */
export function importRings(modules: readonly Module[]): readonly string[] {
  const known = new Map(modules.map((m) => [m.path, m]));
  const state = new Map<string, 'open' | 'done'>();
  const rings: string[] = [];
  const trail: string[] = [];
  const walk = (path: string): void => {
    const module = known.get(path);
    if (module === undefined || state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      rings.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      return;
    }
    state.set(path, 'open');
    trail.push(path);
    for (const { specifier, kind } of module.syntax.imports) {
      const local =
        specifier === undefined || kind === 'url' || kind === 'type' ? undefined : resolveLocal(path, specifier);
      if (local !== undefined) walk(local);
    }
    trail.pop();
    state.set(path, 'done');
  };
  for (const { path } of modules) walk(path);
  return rings;
}
