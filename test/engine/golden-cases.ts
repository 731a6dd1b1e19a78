import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type GoldenCase, readGoldenFile } from '../../worker/check/golden-file.ts';

export const GOLDEN_NAMES = ['classification', 'regression', 'three-way'] as const;
export type GoldenName = (typeof GOLDEN_NAMES)[number];

export function goldenPath(name: GoldenName): string {
  return fileURLToPath(new URL(`../fixtures/golden/${name}.safetensors`, import.meta.url));
}

export async function goldenCase(name: GoldenName): Promise<GoldenCase> {
  return readGoldenFile(readFileSync(goldenPath(name)));
}
