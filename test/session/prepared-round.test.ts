import { expect, test } from 'vitest';
import { Host } from '../../worker/host/host.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { SMALL_REQUEST } from '../host/node-host.ts';
import { TrainingScene } from './training-scene.ts';

test('training has the next round’s samples ready, and asks anew where the plan cuts the round in another way', async () => {
  class Watched extends Host {
    readonly asked: string[] = [];
    override roundBatch(...args: Parameters<Host['roundBatch']>): ReturnType<Host['roundBatch']> {
      this.asked.push(`${args[0]}: ${args[1]?.map(({ start, count }) => `${start}+${count}`).join(' ')}`);
      return super.roundBatch(...args);
    }
  }
  const worker = new Watched(openFileOrHttp);
  await worker.open({ ...SMALL_REQUEST, training: { ...SMALL_REQUEST.training, rounds: 3 } });
  const scene = await TrainingScene.open({ rounds: 3 }, { worker });
  scene.answer = ({ header }) => {
    if (header.tag.round === 1 && scene.room.devices.length === 1) scene.join('a', 'b');
    return 'parts';
  };
  scene.join('a');
  scene.training.start();
  await scene.phase('finished');
  expect(worker.asked).toEqual(['1: 0+8', '2: 0+8', '2: 0+4 4+4', '3: 0+4 4+4']);
  const drawn = scene.orders.filter(({ tag }) => tag.round === 3).map(({ samples }) => samples.count);
  expect(drawn).toEqual([4, 4]);
});
