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

export const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

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
    packages: ['valibot', '@noble/hashes'],
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
    // What connections may say and are told: the same for every home that the rooms may have. Hashes are computations like others.
    name: 'signaling/connection',
    owns: /^signaling\/connection\//,
    imports: ['signaling/protocol', 'signaling/planner', 'signaling/room'],
    types: [],
    starts: [],
    packages: ['valibot', '@noble/hashes'],
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
    // What every home says of the page that it hands out.
    name: 'signaling/page',
    owns: /^signaling\/page\//,
    imports: [],
    types: [],
    starts: [],
    packages: [],
    node: false,
    without: [DOM, NODE, CLOCKS_AND_CHANCE],
  },
  {
    // The home on Cloudflare's engine, which has no Node: its clock, its sockets, its storage.
    name: 'signaling/cloudflare',
    owns: /^signaling\/cloudflare\//,
    imports: ['signaling/protocol', 'signaling/planner', 'signaling/room', 'signaling/connection', 'signaling/page'],
    types: [],
    starts: [],
    packages: ['valibot', '@noble/hashes'],
    node: false,
    without: [DOM, NODE],
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
    imports: [
      'signaling/protocol',
      'signaling/planner',
      'signaling/room',
      'signaling/connection',
      'signaling/page',
      'signaling/node/start-thread',
    ],
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
    owns: /^signaling\/(cli\/|(commands|tabloom)\.ts$)/,
    imports: [
      'signaling/protocol',
      'signaling/planner',
      'signaling/room',
      'signaling/connection',
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
    imports: ['signaling/protocol', 'web/words'],
    types: [/^worker\/api\//],
    starts: [],
    packages: ['peerjs', 'comlink', 'valibot', '@noble/hashes'],
    node: false,
    without: [DOM, NODE, words('Math.random Date.now')],
  },
  {
    // What would be, if: the planner on a thread of the page. No other code of a page's holds it.
    name: 'web/tab/plan-worker',
    owns: /^web\/tab\/plan-worker\.ts$/,
    imports: ['signaling/protocol', 'signaling/planner', 'signaling/room', 'web/session'],
    types: [],
    starts: [],
    packages: ['comlink'],
    node: false,
    without: [NODE],
  },
  {
    // Another home of the connection core, beside the server's: for rooms that nobody outside a page sees.
    name: 'web/tab/home',
    owns: /^web\/tab\/home\//,
    imports: ['signaling/protocol', 'signaling/connection', 'web/session', 'web/words'],
    types: [/^signaling\/planner\/room-plan\.ts$/, /^web\/tab\/plan-worker\.ts$/],
    starts: [],
    packages: ['comlink'],
    node: false,
    without: [NODE],
  },
  {
    // Several devices in one page.
    name: 'web/tab/show',
    owns: /^web\/tab\/show\//,
    imports: ['signaling/protocol', 'web/session', 'web/tab/home', 'web/tab', 'web/words'],
    types: [/^worker\/api\//],
    starts: [],
    packages: ['peerjs'],
    node: false,
    without: [NODE],
  },
  {
    // What of the page stays on a device, and a session without a server.
    name: 'web/tab/offline',
    owns: /^web\/tab\/offline\//,
    imports: ['signaling/protocol', 'web/session', 'web/tab/home', 'web/tab'],
    types: [/^worker\/api\//],
    starts: [],
    packages: ['peerjs', 'workbox-precaching', 'workbox-routing'],
    node: false,
    without: [NODE],
  },
  {
    // The real world for a session in a tab: the twin of signaling/node.
    name: 'web/tab',
    owns: /^web\/tab\//,
    imports: ['signaling/protocol', 'web/session', 'web/words'],
    types: [/^worker\/api\//, /^web\/tab\/plan-worker\.ts$/],
    starts: [/^worker\/(device|host)\/[^/]+-worker\.ts$/, /^web\/tab\/plan-worker\.ts$/],
    packages: ['peerjs', 'comlink', 'valibot'],
    node: false,
    without: [NODE],
  },
  {
    // What the page says, for a translator to read: nothing else is to be known there.
    name: 'web/words',
    owns: /^web\/words\//,
    imports: [],
    types: [],
    starts: [],
    packages: [],
    node: false,
    without: PURE,
  },
  {
    name: 'web/page',
    owns: /^web\/(page\/|main\.tsx$)/,
    imports: ['signaling/protocol', 'web/session', 'web/tab', 'web/tab/show', 'web/tab/offline', 'web/words'],
    types: [/^worker\/api\//],
    starts: [],
    packages: 'any',
    node: false,
    without: [NODE],
  },
];
