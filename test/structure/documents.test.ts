import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { projectFiles, ROOT } from './project-files.ts';

/** Documents name files; a file that moved leaves the name behind. */

const PATH = /`((?:signaling|worker|web|test|docs|models|\.ci)\/[^`\s*]*)`/g;

const named = (text: string): readonly string[] =>
  [...text.matchAll(PATH)].map(([, path = '']) => path).filter((path) => !/[A-Z]{4}|[…:]/.test(path));

const documents = projectFiles((path) => /^(README|CONTRIBUTING|docs\/[\w-]+|test\/fixtures\/README)\.md$/.test(path));

test('every path that a document names is there', () => {
  expect(documents.length).toBeGreaterThan(6);
  const all = documents.flatMap(({ path, text }) => named(text).map((name) => ({ path, name })));
  expect(all.length).toBeGreaterThan(60);
  expect(all.filter(({ name }) => !existsSync(new URL(name, ROOT)))).toEqual([]);
});

test.each([
  ['see `worker/engine/dropout.ts`, and `npm test`', ['worker/engine/dropout.ts']],
  ['`worker/engine/webgpu/kernels/NAME.ts` is a place for names, `signaling/room/` a folder', ['signaling/room/']],
])('%s', (text, paths) => {
  expect(named(text)).toEqual(paths);
});

test('docs/architecture.md names every folder of sources', () => {
  const house = documents.find(({ path }) => path === 'docs/architecture.md')?.text ?? '';
  const sources = projectFiles((path) => /^(signaling|worker|web)\/.+\/[^/]+\.tsx?$/.test(path));
  const folders = [...new Set(sources.map(({ path }) => path.replace(/[^/]+$/, '')))];
  // What lies inside an engine or a table is explained with it.
  const rooms = folders.filter((folder) => !/^worker\/(engine\/webgpu|table)\/./.test(folder));
  expect(rooms.length).toBeGreaterThan(40);
  expect(rooms.filter((folder) => !house.includes(`\`${folder}\``))).toEqual([]);
});
