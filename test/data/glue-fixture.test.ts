import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TASKS } from '../../worker/data/tasks.ts';
import { GLUE_SPLITS } from '../fixtures/glue-rows.ts';
import { splitBytes, splitPath } from '../fixtures/make-hub.ts';

describe('the small GLUE of the tests', () => {
  it.each(GLUE_SPLITS.map((split) => [splitPath(split), split] as const))(
    '%s is what its script writes',
    (path, split) => {
      const file = readFileSync(new URL(`../fixtures/hub/${path}`, import.meta.url));
      expect(Buffer.compare(file, splitBytes(split))).toBe(0);
    },
  );

  it('has every split that a task reads', () => {
    const wanted = TASKS.flatMap(({ source }) =>
      source.kind === 'glue' ? [`${source.config}/train`, `${source.config}/${source.devSplit}`] : [],
    );
    expect(new Set(GLUE_SPLITS.map(({ task, split }) => `${task}/${split}`))).toEqual(new Set(wanted));
  });

  it('has no row of a dev set in a training set', () => {
    for (const { task, split, columns, rows } of GLUE_SPLITS) {
      if (split === 'train') continue;
      const first = columns[0]!.name;
      const train = new Set(
        GLUE_SPLITS.find((one) => one.task === task && one.split === 'train')!.rows.map((row) => row[first]),
      );
      expect(
        rows.filter((row) => train.has(row[first])),
        `${task} ${split}`,
      ).toEqual([]);
    }
  });
});
