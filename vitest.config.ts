import { configDefaults, defineConfig } from 'vitest/config';
import { ClosingReporter } from './test/closing-reporter.ts';

/** What a part of the suite owns; `unit` is everything else. */
const PARTS = {
  engine: ['test/engine/**/*.test.ts', 'test/webgpu/**/*.test.ts'],
  process: ['test/process/**/*.test.ts'],
  page: ['page-*', 'harness', 'find-browser', 'model-cache'].map((name) => `test/browser/${name}.test.ts`),
  browser: ['test/browser/**/*.test.ts'],
};

/** Run twice, since what they hold must hold on every transport: over WebSockets with `unit`, over event streams with `streams`. */
const OVER_STREAMS = [
  'test/homes/**/*.test.ts',
  ...['attacks', 'hostile', 'running', 'deaf'].map((name) => `test/server/${name}.test.ts`),
];

/** What needs Cloudflare's engine. */
const ON_OBJECTS = ['test/cloudflare/storage.test.ts'];

/** What rooms promise wherever they live: with `unit` in a Node process, and here on Cloudflare's engine. */
const atHome = (home: string, files = '**/*') => ({
  extends: true as const,
  test: {
    name: home,
    include: [`test/homes/${files}.test.ts`, ...(home === 'objects' ? ON_OBJECTS : [])],
    globalSetup: ['test/homes/prepare.ts'],
    env: { TABLOOM_HOME: home },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 3,
    sequence: { groupOrder: 0 },
  },
});

/** Where a machine-readable report goes; the tests of CI ask for one. */
const report = process.env.TABLOOM_TEST_REPORT;
const jsonTo = (outputFile: string): ['json', { outputFile: string }] => ['json', { outputFile }];

export default defineConfig({
  test: {
    environment: 'node',
    // A second, Vitest's own, is what one look may take on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    // What the command line's --reporter names comes in place of these.
    reporters: ['default', ...(report === undefined ? [] : [jsonTo(report)]), new ClosingReporter()],
    // Parts run one after the other, in the order of `groupOrder`; files within a part side by side, but for browsers that train: those fill two
    // cores on their own. Processes wait for each other half of the time, for deadlines and for devices to come back. Time limits are for a
    // machine that is four times as slow as two quiet cores: what must be quick is asked in other ways. Real browsers and real networks may be tried twice; the closing lines name who was.
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...PARTS.engine, ...PARTS.process, ...PARTS.browser, ...ON_OBJECTS],
          testTimeout: 90_000,
          hookTimeout: 240_000,
          // One more than the cores that most have: tests of the server wait for sockets to be closed.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'streams',
          include: OVER_STREAMS,
          env: { TABLOOM_TRANSPORT: 'stream' },
          testTimeout: 90_000,
          hookTimeout: 240_000,
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          // What the core holds it must hold when it is put away between any two inputs, as on an engine that evicts.
          name: 'kept',
          include: ['test/connection/**/*.test.ts'],
          env: { TABLOOM_CORE: 'kept' },
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      atHome('objects'),
      // Objects that put their room away before everything that happens: slow where hundreds come in, which the whole run does.
      atHome('evicted', process.env.TABLOOM_WHOLE === '1' ? '**/*' : '{rooms,strangers,hostile}'),
      {
        extends: true,
        test: {
          name: 'engine',
          include: PARTS.engine,
          testTimeout: 120_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: PARTS.process,
          // The longest takes a minute and a half on two quiet cores.
          testTimeout: 480_000,
          hookTimeout: 240_000,
          retry: 1,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'page',
          include: PARTS.page,
          testTimeout: 300_000,
          hookTimeout: 240_000,
          retry: 1,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: PARTS.browser,
          exclude: [...configDefaults.exclude, ...PARTS.page],
          testTimeout: 300_000,
          hookTimeout: 240_000,
          retry: 1,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
