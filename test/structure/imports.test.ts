import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  crowdedFolders,
  fileCircles,
  folderCircles,
  type Module,
  resolveLocal,
  twins,
  violations,
} from './import-rule.ts';
import { readModule } from './module-syntax.ts';
import { projectFiles, ROOT } from './project-files.ts';
import { ZONES } from './zones.ts';

const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
const dependencies = new Set(
  typeof manifest === 'object' && manifest !== null && 'dependencies' in manifest
    ? Object.keys(manifest.dependencies ?? {})
    : [],
);

const parse = (files: Readonly<Record<string, string>>): Module[] =>
  Object.entries(files).map(([path, text]) => ({ path, syntax: readModule(path, text) }));

const breaches = (files: Readonly<Record<string, string>>): readonly string[] => violations(parse(files), dependencies);

describe('the project', () => {
  // A declaration file describes a package that runs elsewhere.
  const sources = projectFiles((path) => /^(signaling|worker|web)\/.*\.tsx?$/.test(path) && !path.endsWith('.d.ts'));
  const modules = sources.map(({ path, text }) => ({ path, syntax: readModule(path, text) }));

  test('has sources in the folders that the rule speaks of', () => {
    expect(modules.length).toBeGreaterThan(5);
    expect(dependencies).toContain('valibot');
    expect(modules.filter((m) => !ZONES.some((z) => z.owns.test(m.path))).map((m) => m.path)).toEqual([]);
  });

  test('keeps the import rule and the purity of its core', () => {
    expect(violations(modules, dependencies)).toEqual([]);
  });

  test('has no files that import each other in a circle, type imports counted', () => {
    expect(fileCircles(modules)).toEqual([]);
  });

  test('has no folders that import each other in a circle', () => {
    expect(folderCircles(modules)).toEqual([]);
  });

  test('has no folder too full to be one room', () => {
    const all = projectFiles((path) => /^(signaling|worker|web)\/.*\.(tsx?|css)$/.test(path)).map((f) => f.path);
    expect(crowdedFolders(all)).toEqual([]);
  });

  test('has no two sources of one base name in a folder', () => {
    expect(twins(sources.map(({ path }) => path))).toEqual([]);
  });

  test('asks for golden files and their check by the command line alone', () => {
    const asking = modules.filter(({ path, syntax }) =>
      syntax.imports.some(({ specifier }) => {
        const local = specifier === undefined ? undefined : resolveLocal(path, specifier);
        return /^worker\/check\/(golden-|verify-)/.test(local ?? '');
      }),
    );
    expect(asking.map(({ path }) => path).filter((path) => !/^worker\/check\/(golden-|verify-)/.test(path))).toEqual([
      'signaling/cli/verify-command.ts',
    ]);
  });

  test('has no barrel: a file that only re-exports hides who uses whom', () => {
    expect(modules.filter((m) => m.syntax.onlyReexports).map((m) => m.path)).toEqual([]);
  });
});

describe('the checker finds', () => {
  test.each([
    ["import { a } from '../planner/crunch.ts';", 'signaling/protocol/x.ts imports signaling/planner/crunch.ts'],
    ["import type { A } from '../planner/crunch.ts';", 'signaling/protocol/x.ts imports signaling/planner/crunch.ts'],
    ["export { a } from '../room/room.ts';", 'signaling/protocol/x.ts imports signaling/room/room.ts'],
    ["export * from '../room/room.ts';", 'signaling/protocol/x.ts imports signaling/room/room.ts'],
    ["type A = import('../room/room.ts').Room;", 'signaling/protocol/x.ts imports signaling/room/room.ts'],
    ["await import('../room/room.ts');", 'signaling/protocol/x.ts imports signaling/room/room.ts'],
    ['await import(`../room/room.ts`);', 'signaling/protocol/x.ts imports signaling/room/room.ts'],
    ['await import(name());', 'signaling/protocol/x.ts imports a module whose name is computed'],
    ["new Worker(new URL('../../worker/d.ts', import.meta.url));", 'signaling/protocol/x.ts starts worker/d.ts'],
    ["import { readFileSync } from 'node:fs';", 'signaling/protocol/x.ts imports node:fs'],
    ["import type { Server } from 'node:http';", 'signaling/protocol/x.ts imports node:http'],
    ["import { WebSocket } from 'ws';", 'signaling/protocol/x.ts imports the package ws'],
    ["import { test } from '../../test/a.ts';", 'signaling/protocol/x.ts imports test/a.ts'],
    ["import { a } from '../../../elsewhere/a.ts';", 'signaling/protocol/x.ts imports ../elsewhere/a.ts'],
    ['export const f = () => document.title;', 'signaling/protocol/x.ts uses document'],
    ['export const f = (e: HTMLElement) => e.id;', 'signaling/protocol/x.ts uses HTMLElement'],
    ['export const f = () => ({ window });', 'signaling/protocol/x.ts uses window'],
    ['export const f = () => globalThis.fetch("/");', 'signaling/protocol/x.ts uses fetch'],
    ['export const f = (e: globalThis.Element) => e;', 'signaling/protocol/x.ts uses Element'],
    ['export const now = Date.now();', 'signaling/protocol/x.ts uses Date'],
    ['export const chance = Math.random();', 'signaling/protocol/x.ts uses Math.random'],
    ["export const chance = Math['random']();", 'signaling/protocol/x.ts uses Math.random'],
    ['setTimeout(() => {}, 1);', 'signaling/protocol/x.ts uses setTimeout'],
    ['export const id = crypto.randomUUID();', 'signaling/protocol/x.ts uses crypto'],
    ['export const a = process.env;', 'signaling/protocol/x.ts uses process'],
  ])('%s', (text, expected) => {
    expect(breaches({ 'signaling/protocol/x.ts': text })).toContain(expected);
  });

  test.each([
    ['signaling/planner/x.ts', "import { r } from '../room/room.ts';", 'imports signaling/room/room.ts'],
    ['signaling/room/x.ts', "import { s } from '../server/server.ts';", 'imports signaling/server/server.ts'],
    ['signaling/cli/x.ts', "import { p } from '../../web/page/app.tsx';", 'imports web/page/app.tsx'],
    ['signaling/cli/x.ts', "import { p } from '../../web/tab/tab.ts';", 'imports web/tab/tab.ts'],
    ['signaling/server/x.ts', "import { p } from '../../web/session/a.ts';", 'imports web/session/a.ts'],
    ['signaling/server/x.ts', "import type { T } from '../../worker/api/batch.ts';", 'imports worker/api/batch.ts'],
    [
      'signaling/server/x.ts',
      "import { e } from '../node/node-environment.ts';",
      'imports signaling/node/node-environment.ts',
    ],
    ['signaling/server/x.ts', "import { s } from '../cli/serve-command.ts';", 'imports signaling/cli/serve-command.ts'],
    ['signaling/node/x.ts', "import { s } from '../server/server.ts';", 'imports signaling/server/server.ts'],
    ['signaling/simulate/x.ts', "import { s } from '../room/room.ts';", 'imports signaling/room/room.ts'],
    ['worker/api/x.ts', "import type { E } from '../engine/engine.ts';", 'imports worker/engine/engine.ts'],
    ['web/tab/x.ts', "import { App } from '../page/app.tsx';", 'imports web/page/app.tsx'],
    [
      'web/tab/x.ts',
      "new Worker(new URL('../../worker/host/host.ts', import.meta.url));",
      'starts worker/host/host.ts',
    ],
    ['web/page/x.tsx', "new Worker(new URL('../../worker/d.ts', import.meta.url));", 'starts worker/d.ts'],
    ['worker/x.ts', "import { plan } from '../signaling/planner/crunch.ts';", 'imports signaling/planner/crunch.ts'],
    ['worker/engine/x.ts', "import { a } from '../../web/session/a.ts';", 'imports web/session/a.ts'],
    ['worker/x.ts', "import { create } from 'webgpu';", 'imports the package webgpu, which runs in Node only'],
    ['worker/x.ts', "import { open } from 'node:fs/promises';", 'imports node:fs/promises'],
    ['worker/x.ts', "await import('./node/file-source.ts');", 'imports worker/node/file-source.ts'],
    ['worker/x.ts', "import 'left-pad';", "imports left-pad, which package.json's dependencies do not name"],
    [
      'web/session/x.ts',
      "import { a } from '../../worker/api/batch.ts';",
      'imports more than types from worker/api/batch.ts',
    ],
    ['web/session/x.ts', "import type { E } from '../../worker/engine/engine.ts';", 'imports worker/engine/engine.ts'],
    ['web/session/x.ts', "import { App } from '../page/app.tsx';", 'imports web/page/app.tsx'],
    ['web/session/x.ts', 'window.addEventListener("pagehide", () => {});', 'uses window'],
    ['web/session/x.ts', 'export const at = Date.now();', 'uses Date.now'],
    ['web/session/x.ts', "import { hostname } from 'node:os';", 'imports node:os'],
    ['web/page/x.tsx', "import { a } from '../../signaling/planner/crunch.ts';", 'imports signaling/planner/crunch.ts'],
    ['web/page/x.tsx', "import { r } from '../../signaling/room/room.ts';", 'imports signaling/room/room.ts'],
  ])('%s: %s', (path, text, expected) => {
    expect(breaches({ [path]: text })).toContain(`${path} ${expected}`);
  });

  test('a circle of files, closed by types too', () => {
    const files = (last: string) =>
      parse({
        'worker/a.ts': "import { b } from './b.ts'; export const a = b;",
        'worker/b.ts': "import { c } from './engine/c.ts'; export const b = c;",
        'worker/engine/c.ts': last,
      });
    const circle = [['worker/a.ts', 'worker/b.ts', 'worker/engine/c.ts']];
    expect(fileCircles(files("import { a } from '../a.ts'; export const c = a;"))).toEqual(circle);
    expect(fileCircles(files("export const c = () => import('../a.ts');"))).toEqual(circle);
    expect(fileCircles(files("import type { a } from '../a.ts'; export const c = 1;"))).toEqual(circle);
    expect(fileCircles(files('export const c = 1;'))).toEqual([]);
  });

  test('two sources of one base name, whatever their extensions, and leaves their namesakes elsewhere alone', () => {
    expect(twins(['a/cloth.ts', 'a/cloth.tsx', 'b/cloth.ts', 'a/cloth-thread.tsx', 'c/x.d.ts', 'c/x.ts'])).toEqual([
      'a/cloth',
      'c/x',
    ]);
  });

  test('a circle of folders that no files make', () => {
    const files = parse({
      'worker/data/a.ts': "import { b } from '../model/b.ts'; export const a = b;",
      'worker/model/b.ts': 'export const b = 1;',
      'worker/model/c.ts': "import type { D } from '../data/d.ts'; export type C = D;",
      'worker/data/d.ts': 'export type D = 1;',
      'web/x.ts': "import { b } from '../worker/model/b.ts'; export const x = b;",
    });
    expect(fileCircles(files)).toEqual([]);
    expect(folderCircles(files)).toEqual([['worker/data', 'worker/model']]);
    expect(folderCircles(files.slice(0, 2))).toEqual([]);
  });

  test('a folder of more than fifteen files', () => {
    const paths = Array.from({ length: 16 }, (_, i) => `worker/data/${i}.ts`);
    expect(crowdedFolders(paths)).toEqual(['worker/data: 16']);
    expect(crowdedFolders(paths.slice(1).concat('worker/x.ts', 'worker/data/glue/y.ts'))).toEqual([]);
  });

  test('a file that only re-exports', () => {
    expect(readModule('worker/a.ts', "export * from './b.ts'; export { c } from './c.ts';").onlyReexports).toBe(true);
    expect(readModule('worker/a.ts', "export * from './b.ts'; export const c = 1;").onlyReexports).toBe(false);
  });
});

describe('the checker lets pass', () => {
  test.each([
    ['signaling/planner/x.ts', "import type { Plan } from '../protocol/plan.ts'; import * as v from 'valibot';"],
    ['signaling/room/x.ts', "import { plan } from '../planner/solve.ts'; import { MAX } from '../protocol/limits.ts';"],
    [
      'signaling/server/x.ts',
      "import { startThread } from '../node/start-thread.ts'; import { createServer } from 'node:http'; import { WebSocketServer } from 'ws';",
    ],
    ['signaling/cli/join.ts', "import { join } from '../../web/session/join.ts'; setTimeout(join, Date.now());"],
    ['worker/x.ts', "const dawn = await import('onnxruntime-web/webgpu');"],
    ['worker/node/file-source.ts', "import { open } from 'node:fs/promises'; import '../files/byte-source.ts';"],
    ['signaling/node/x.ts', "import { openFileOrHttp } from '../../worker/node/file-source.ts';"],
    [
      'web/session/x.ts',
      "import type { HostWorkerApi } from '../../worker/api/host-api.ts'; import { Peer } from 'peerjs';",
    ],
    [
      'web/tab/x.ts',
      "new Worker(new URL('../../worker/device/device-worker.ts', import.meta.url), { type: 'module' });",
    ],
    ['signaling/room/x.ts', 'type Partial = 1; export type A = globalThis.Partial<{ a: Partial }>;'],
    // Names of one's own, members and keys are no globals.
    ['signaling/room/x.ts', 'export const f = (window: { document: number }) => window.document + Math.max(1, 2);'],
    ['signaling/room/x.ts', 'export const f = ({ location: process }: { location: number }) => ({ screen: process });'],
    ['signaling/room/x.ts', '// Date.now() and document are only spoken of here\nexport const f = "Math.random()";'],
  ])('%s: %s', (path, text) => {
    expect(breaches({ [path]: text })).toEqual([]);
  });
});
