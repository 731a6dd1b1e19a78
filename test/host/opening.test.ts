import { expect, test } from 'vitest';
import { OPENING_STEPS } from '../../signaling/protocol/words/opening.ts';
import type { HostRequest, OpeningProgress } from '../../worker/api/host-api.ts';
import { Host } from '../../worker/host/host.ts';
import { openHostState } from '../../worker/host/host-state.ts';
import { modelFiles } from '../../worker/model/open-model.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { MINI_REQUEST } from './node-host.ts';

/** Everything that is told while a session is opened. */
async function told(request: HostRequest): Promise<readonly OpeningProgress[]> {
  const seen: OpeningProgress[] = [];
  const files = modelFiles(openFileOrHttp, null, request.model, request.origin, {});
  await openHostState(openFileOrHttp, files, request, (progress) => seen.push(progress));
  return seen;
}

const table = 'text\tlabel\nfine\tgood\nawful\tbad\nlovely\tgood\n';
const own: HostRequest = {
  ...MINI_REQUEST,
  training: { ...MINI_REQUEST.training, samplesPerRound: 1 },
  task: {
    id: 'own',
    endpoint: '',
    own: {
      title: 'Mine',
      train: { name: 'mine.tsv', bytes: new TextEncoder().encode(table) },
      dev: null,
      columns: { text: 'text', pair: null, label: 'label' },
      kind: 'classification',
    },
  },
};

/** Goes on from a checkpoint of the generated task. */
async function resumed(): Promise<HostRequest> {
  const host = new Host(openFileOrHttp);
  await host.open(MINI_REQUEST);
  return { ...MINI_REQUEST, start: { kind: 'checkpoint', bytes: await host.checkpoint('') } };
}

test.each([
  ['a generated task', async () => MINI_REQUEST],
  ['a table of one’s own', async () => own],
  ['a checkpoint', resumed],
] as const)('opening %s goes through every step of the list, in its order, and never back', async (_, request) => {
  const seen = await told(await request());
  const stages = seen.map(({ stage }) => stage);
  expect(stages.filter((stage, i) => stage !== stages[i - 1])).toEqual(OPENING_STEPS.map(({ stage }) => stage));
  const last = seen.at(-1);
  expect(last?.done).toBe(last?.total);
});
