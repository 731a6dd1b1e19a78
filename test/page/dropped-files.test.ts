import { expect, it } from 'vitest';
import { droppedFiles } from '../../web/page/parts/dropped-files.ts';

const fileEntry = (name: string) => ({
  isFile: true,
  isDirectory: false,
  name,
  file: (give: (file: File) => void) => give(new File(['{}'], name)),
});
/** Gives its entries a hundred at a time, as Chromium does. */
const folderEntry = (name: string, entries: readonly object[]) => ({
  isFile: false,
  isDirectory: true,
  name,
  createReader: () => {
    let at = 0;
    return {
      readEntries: (give: (some: readonly object[]) => void) => {
        give(entries.slice(at, at + 100));
        at += 100;
      },
    };
  },
});
const drop = (entries: readonly (object | null)[], files: readonly File[] = []) =>
  droppedFiles({ items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })), files } as never);

it('reads a dropped folder to its end, with paths as the dialog gives them, and no folder within it', async () => {
  const names = Array.from({ length: 201 }, (_, i) => `model-${i}.safetensors`);
  const found = await drop([folderEntry('mine', [folderEntry('runs', [fileEntry('x')]), ...names.map(fileEntry)])]);
  expect(found.map(({ webkitRelativePath }) => webkitRelativePath)).toEqual(names.map((name) => `mine/${name}`));
});

it('gives files that were dropped by themselves as they are', async () => {
  const file = new File(['{}'], 'config.json');
  expect(await drop([fileEntry('config.json')], [file])).toEqual([file]);
  expect(await drop([null], [file])).toEqual([file]);
});
