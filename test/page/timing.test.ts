import { expect, it } from 'vitest';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { measuredSeconds } from '../../web/page/cloth/timing.ts';

const entry = (device: string, computeSeconds: number, uploadSeconds = 1) => ({
  device,
  computeSeconds,
  uploadSeconds,
  samples: 1,
  deepestDepth: 1,
  uploadBits: 1,
});
const report = (round: number, planVersion: number, ...devices: RoundReport['devices']): RoundReport => ({
  round,
  planVersion,
  loss: 1,
  learningRate: 1,
  gradientNorm: 1,
  elapsedSeconds: 1,
  devices,
  reassigned: 0,
});

it('a device’s time is known from its first round on, under this plan alone', () => {
  const first = report(1, 2, entry('a', 3, 4));
  expect(measuredSeconds([first], 2, 'a')).toEqual({ compute: 3, upload: 4 });
  expect(measuredSeconds([first], 3, 'a')).toBeNull();
  expect(measuredSeconds([first], 2, 'b')).toBeNull();
  expect(measuredSeconds([], 2, 'a')).toBeNull();
});

it('work of one round is added up, and of the last five rounds the middle one counts', () => {
  expect(measuredSeconds([report(1, 1, entry('a', 3, 4), entry('b', 9), entry('a', 2, 1))], 1, 'a')).toEqual({
    compute: 5,
    upload: 5,
  });
  const rounds = [100, 1, 2, 3, 4, 5].map((seconds, i) => report(i + 1, 1, entry('a', seconds)));
  expect(measuredSeconds(rounds, 1, 'a')).toEqual({ compute: 3, upload: 1 });
});

it('rounds under a later plan are passed over, and nothing counts from before an earlier one', () => {
  const rounds = [report(1, 2, entry('a', 7)), report(2, 1, entry('a', 5)), report(3, 2, entry('a', 3)), report(4, 3)];
  expect(measuredSeconds([...rounds, report(5, 3, entry('a', 9))], 2, 'a')).toEqual({ compute: 3, upload: 1 });
  expect(measuredSeconds(rounds, 1, 'a')).toEqual({ compute: 5, upload: 1 });
});
