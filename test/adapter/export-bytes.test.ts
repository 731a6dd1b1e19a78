import { expect, test } from 'vitest';
import type { ExportedFile } from '../../worker/api/host-api.ts';
import type { OpenFile } from '../../worker/files/open-file.ts';
import { Host } from '../../worker/host/host.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { MINI_REQUEST } from '../host/node-host.ts';

const total = (files: readonly ExportedFile[]): number => files.reduce((sum, { bytes }) => sum + bytes.length, 0);

test('an export is known to the byte before it is made', async () => {
  const host = new Host(openFileOrHttp);
  await host.open(MINI_REQUEST);
  expect(await host.exportBytes('adapter')).toBe(total(await host.exportAdapter()));
  expect(await host.exportBytes('merged')).toBe(total(await host.exportMerged()));
  expect(await host.exportBytes('onnx')).toBe(total(await host.exportOnnx()));
});

test('a base model that lost a tensor since is refused before anything is made', async () => {
  let isLost = false;
  // The header's name of one tensor is changed, so that the file has it no longer.
  const open: OpenFile = async (url) => {
    const source = await openFileOrHttp(url);
    const old = new TextEncoder().encode('layer.5.output.dense.bias');
    const read = async (start: number, end: number): Promise<Uint8Array> => {
      const bytes = await source.read(start, end);
      const at = isLost && start < 1000 ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(old) : -1;
      return at < 0 ? bytes : bytes.map((byte, i) => (i === at ? 'L'.charCodeAt(0) : byte));
    };
    return { ...source, size: source.size, read };
  };
  const host = new Host(open);
  await host.open(MINI_REQUEST);
  isLost = true;
  const missing = 'The model\'s files have no tensor "roberta.encoder.layer.5.output.dense.bias"';
  await expect(host.exportBytes('merged')).rejects.toThrow(missing);
  await expect(host.exportBytes('onnx')).rejects.toThrow(missing);
  expect(await host.exportBytes('adapter')).toBe(total(await host.exportAdapter()));
});

test.each(['adapter', 'merged', 'onnx'] as const)(
  'an export as %s is the same in parts, the largest file first',
  async (form) => {
    const host = new Host(openFileOrHttp);
    await host.open(MINI_REQUEST);
    const whole = new Map(
      (await { adapter: host.exportAdapter, merged: host.exportMerged, onnx: host.exportOnnx }[form]()).map((file) => [
        file.name,
        Buffer.from(file.bytes),
      ]),
    );
    const files = await host.openExport(form);
    const sizes = files.map(({ byteLength }) => byteLength);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    const before = Buffer.from((await host.parameters()).values.slice().buffer);
    const parts: Buffer[][] = files.map(() => []);
    let [largest, at] = [0, 0];
    for (let part = await host.nextPart(); part !== null; part = await host.nextPart()) {
      expect(part.file).toBeGreaterThanOrEqual(at);
      at = part.file;
      largest = Math.max(largest, part.bytes.length);
      parts[part.file]?.push(Buffer.from(part.bytes));
      // Whoever takes it may give its buffer away.
      part.bytes.fill(7);
    }
    expect(largest).toBeLessThanOrEqual(4 * 2 ** 20);
    for (const [i, { name, byteLength }] of files.entries()) {
      const bytes = Buffer.concat(parts[i] ?? []);
      expect(bytes.length).toBe(byteLength);
      expect(bytes.equals(whole.get(name) ?? Buffer.alloc(0)), name).toBe(true);
    }
    expect(files).toHaveLength(whole.size);
    expect(Buffer.from((await host.parameters()).values.slice().buffer).equals(before)).toBe(true);
    await expect(host.nextPart()).rejects.toThrow('No export is open.');
  },
);
