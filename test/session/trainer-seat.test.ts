import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import type { SendPace } from '../../web/session/links/message-link.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';
import { abandon, evaluate, order, SeatScene, settle, tag, text } from './seat-scene.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a seat', () => {
  it('does orders one after the other and sends each gradient as soon as it exists', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [4, 5], 42), order(tag(2), [3]));
    expect(scene.worker.did).toEqual(['parameters 42', 'begin 1 [4,5]']);
    scene.worker.gradient(5);
    await settle();
    expect(scene.answers).toEqual(['1.1 block 5']);
    scene.worker.gradient(4);
    await settle();
    scene.worker.done();
    await settle();
    expect(scene.answers).toEqual(['1.1 block 5', '1.1 block 4', '1.1 done 3']);
    expect(scene.worker.did.slice(2)).toEqual(['begin 1 [3]']);
  });

  it('drops an order that was taken away while it waited, and stops one that is running', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42), order(tag(2), [4]), order(tag(3), [3]));
    await scene.send(abandon(tag(2)), abandon(tag(1)));
    expect(scene.worker.did).toEqual(['parameters 42', 'begin 1 [5]', 'cancel', 'begin 1 [3]']);
    // It was asked to stop; that is no failure.
    expect(scene.answers).toEqual([]);
  });

  it('drops an order that comes after it was taken away', async () => {
    const scene = new SeatScene();
    await scene.send(abandon(tag(1)), order(tag(1), [5], 42), order(tag(1, 2), [4]));
    expect(scene.worker.did).toEqual(['parameters 42', 'begin 1 [4]']);
  });

  it('has the parameters that came with an order which was taken away: the host sends each version once', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42));
    scene.worker.done();
    await settle();
    // The worker is busy with a text while an order with newer parameters comes and goes.
    void scene.seat.predict(text, { version: 7, values: Float32Array.of(1) });
    await scene.send(order(tag(1, 1, 2), [5], 43), abandon(tag(1, 1, 2)), order(tag(1, 2, 2), [5]));
    scene.worker.logits();
    await settle();
    expect(scene.worker.did.slice(-2)).toEqual(['parameters 43', 'begin 2 [5]']);
    expect(scene.answers).toEqual(['1.1 done 3']);
  });

  it('drops what belongs to an earlier round once it hears of the next, running or not', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42), order(tag(2), [4]));
    await scene.send(order(tag(1, 1, 2), [3], 43));
    expect(scene.worker.did).toEqual(['parameters 42', 'begin 1 [5]', 'cancel', 'parameters 43', 'begin 2 [3]']);
    await scene.send(order(tag(2), [2]));
    scene.worker.done();
    await settle();
    expect(scene.worker.order).toBeNull();
  });

  it('drops orders of an earlier host', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1, 1, 1, 2), [5], 42), order(tag(1, 1, 9, 1), [4]));
    scene.worker.done();
    await settle();
    expect(scene.worker.did).toEqual(['parameters 42', 'begin 1 [5]']);
  });

  it('asks its worker what it claims after an order on which the device gave out, and after one that failed, and at no other time', async () => {
    const scene = new SeatScene();
    const { linkBitsPerSecond: _, ...whole } = profile();
    const less = { ...whole, memory: { ...whole.memory, limitBytes: 5e8 } };
    const answers = [less, null];
    scene.worker.restated = async () => answers.shift() ?? null;
    const claims: number[] = [];
    scene.seat.model.onRestated(({ memory }) => claims.push(memory.limitBytes));
    await scene.send(order(tag(1), [5], 42), order(tag(2), [5]), order(tag(3), [5]));
    scene.worker.done();
    await settle();
    expect(answers).toHaveLength(2);
    scene.worker.done(true);
    await settle();
    expect(claims).toEqual([5e8]);
    scene.worker.fail('The graphics device was lost.');
    await settle();
    expect([claims, answers]).toEqual([[5e8], []]);
  });

  it('says that it failed, once, and goes on', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42), order(tag(2), [4]));
    scene.worker.fail('Out of memory.');
    await settle();
    expect(scene.answers).toEqual(['failed: Out of memory.']);
    expect(scene.worker.did.at(-1)).toBe('begin 1 [4]');
  });

  it('refuses an order for parameters that it does not have', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5]));
    expect(scene.answers).toEqual(['failed: Work is for version 7, but this device has version none.']);
    expect(scene.worker.did).toEqual([]);
  });

  it('evaluates chunks between orders, and drops those of an evaluation that is over', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42), evaluate(1, 0), evaluate(1, 1), evaluate(2, 0));
    scene.worker.done();
    await settle();
    scene.worker.logits();
    await settle();
    expect(scene.worker.did.slice(2)).toEqual(['evaluate 1']);
    expect(scene.answers).toEqual(['1.1 done 3', 'logits 0']);
  });

  it('refuses an order for other parameters than the last that came, and shortens what it says', async () => {
    const scene = new SeatScene();
    const next = order(tag(2), [4]);
    await scene.send(order(tag(1), [5], 42), { ...next, header: { ...next.header, version: 8 } });
    scene.worker.fail('x'.repeat(1000));
    await settle();
    expect(scene.answers).toEqual([
      `failed: ${'x'.repeat(400)}`,
      'failed: Work is for version 8, but this device has version 7.',
    ]);
  });

  it('does not begin what was taken away while its parameters were set, and leaves what was taken away as it began', async () => {
    const scene = new SeatScene();
    const gates: (() => void)[] = [];
    const gate = () => new Promise<void>((resolve) => gates.push(resolve));
    const { worker } = scene;
    const [set, begin] = [worker.setParameters.bind(worker), worker.begin.bind(worker)];
    worker.setParameters = async (values) => {
      await gate();
      await set(values);
    };
    worker.begin = async (work) => {
      await gate();
      await begin(work);
    };
    await scene.send(order(tag(1), [5], 42), abandon(tag(1)), order(tag(2), [4]));
    gates[0]();
    await settle();
    expect(worker.did).toEqual(['parameters 42']);
    // The second one is beginning.
    await scene.send(abandon(tag(2)), order(tag(3), [3]));
    gates[1]();
    await settle();
    gates[2]();
    await settle();
    expect(worker.did.slice(1)).toEqual(['begin 1 [4]', 'cancel', 'begin 1 [3]']);
  });

  it('keeps no room for orders that were taken away', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42));
    for (let epoch = 1; epoch <= 200; epoch++) await scene.host.send(order(tag(2, epoch), [4]));
    await settle();
    expect(scene.answers).toEqual([]);
    scene.worker.done();
    await settle();
    expect([scene.worker.did.length, scene.worker.did.at(-1)]).toEqual([3, 'begin 1 [4]']);
  });

  it('sets parameters again that the worker may not have taken', async () => {
    const scene = new SeatScene();
    const take = scene.worker.setParameters.bind(scene.worker);
    scene.worker.setParameters = async (values) => {
      scene.worker.setParameters = take;
      await take(values);
      throw new Error('The GPU is gone.');
    };
    await scene.send(order(tag(1), [5], 42), order(tag(1, 2), [5]));
    expect(scene.worker.did).toEqual(['parameters 42', 'parameters 42', 'begin 1 [5]']);
  });

  it('paces gradients to the order’s share of its own rate, and sets the same parameters once', async () => {
    const scene = new SeatScene();
    const paces: (SendPace | null | undefined)[] = [];
    scene.link((end) => ({
      ...end,
      send: (message, pace) => {
        paces.push(pace);
        return end.send(message, pace);
      },
    }));
    const half = order(tag(1), [5], 42);
    await scene.send({ ...half, header: { ...half.header, share: 0.5 } }, order(tag(2), [4]));
    scene.worker.gradient(5);
    await settle();
    scene.worker.done();
    await settle();
    expect(paces).toEqual([{ bitsPerSecond: 5e5 }, undefined]);
    expect(scene.worker.did).toEqual(['parameters 42', 'begin 1 [5]', 'begin 1 [4]']);
  });

  it('takes no more work than it has room for', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42));
    for (let chunk = 0; chunk < 129; chunk++) await scene.host.send(evaluate(1, chunk));
    await settle();
    expect(scene.answers).toEqual(['failed: This device has as much work waiting as it takes.']);
  });

  it('takes no more bytes of waiting work than four of the longest orders of its session', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42));
    // Each brings parameters of its own, which all are kept while they wait.
    const { toDeviceBytes } = tensorSizes(SETTINGS);
    const heavy = (number: number): DataMessage<'order'> => {
      const light = order(tag(number), [4], 42);
      return { ...light, tensors: [...light.tensors.slice(0, 4), new Float32Array(toDeviceBytes / 4 - 4)] };
    };
    await scene.send(heavy(2), heavy(3), heavy(4), heavy(5));
    expect(scene.answers).toEqual([]);
    await scene.send(order(tag(6), [3]));
    expect(scene.answers).toEqual(['failed: This device has as much work waiting as it takes.']);
  });
});

describe('a seat whose link goes', () => {
  it('stops the order that came over it, and works for the next link', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42), order(tag(2), [4]));
    scene.host.close();
    await settle();
    expect(scene.worker.did).toEqual(['parameters 42', 'begin 1 [5]', 'cancel']);
    scene.link();
    // The new link's host sends the parameters again, also where the version is the same.
    await scene.send(order(tag(1, 2), [5], 44));
    expect(scene.worker.did.slice(3)).toEqual(['parameters 44', 'begin 1 [5]']);
    scene.worker.gradient(5);
    await settle();
    scene.worker.done();
    await settle();
    expect(scene.answers).toEqual(['1.2 block 5', '1.2 done 3']);
  });

  it('works for the next link, too, when that comes first', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42));
    const old = scene.host;
    scene.link();
    await scene.send(order(tag(1, 2), [4], 44));
    expect(scene.worker.did).toEqual(['parameters 42', 'begin 1 [5]', 'cancel', 'parameters 44', 'begin 1 [4]']);
    await old.send(order(tag(3, 9), [0], 45));
    scene.worker.done();
    await settle();
    expect(scene.worker.order).toBeNull();
  });

  it('is not held up by sends that wait: two orders may be on their way, the third waits for the first', async () => {
    const scene = new SeatScene();
    const sent: (() => void)[] = [];
    scene.link((end) => ({
      ...end,
      send: (message) =>
        message.header.type === 'gradient' ? new Promise((resolve) => sent.push(resolve)) : end.send(message),
    }));
    await scene.send(order(tag(1), [5], 42), order(tag(2), [4]), order(tag(3), [3]));
    for (const block of [5, 4]) {
      scene.worker.gradient(block);
      await settle();
      scene.worker.done();
      await settle();
    }
    expect(scene.worker.did.slice(1)).toEqual(['begin 1 [5]', 'begin 1 [4]']);
    sent[0]();
    await settle();
    expect(scene.worker.did.at(-1)).toBe('begin 1 [3]');
  });
});

describe('a seat’s own person', () => {
  it('gets an answer between two orders, with the parameters asked for', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42), order(tag(2), [4]));
    const answer = scene.seat.predict(text, { version: 9, values: Float32Array.of(99) });
    scene.worker.done();
    await settle();
    expect(scene.worker.did.slice(2)).toEqual(['parameters 99', 'evaluate 1']);
    scene.worker.logits();
    expect(await answer).toEqual(new Float32Array([0, 1]));
    await settle();
    expect(scene.worker.did.slice(4)).toEqual(['parameters 42', 'begin 1 [4]']);
  });

  it('is answered, too, when it is asked the moment that another was answered', async () => {
    const scene = new SeatScene();
    const parameters = { version: 0, values: Float32Array.of(1) };
    const both = (async () => [
      await scene.seat.predict(text, parameters),
      await scene.seat.predict(text, parameters),
    ])();
    await settle();
    scene.worker.logits();
    await settle();
    scene.worker.logits();
    expect((await both).map((logits) => [...logits])).toEqual([
      [0, 1],
      [0, 1],
    ]);
    scene.seat.close();
  });

  it('may have eight texts waiting', async () => {
    const scene = new SeatScene();
    const parameters = { version: 1, values: Float32Array.of(1) };
    for (let i = 0; i < 8; i++) scene.seat.predict(text, parameters).catch(() => undefined);
    await expect(scene.seat.predict(text, parameters)).rejects.toThrow('8 texts are waiting');
  });
});

describe('a seat that closes', () => {
  it('ends every wait: loading, a running order, a running text, a waiting one', async () => {
    const loading = new SeatScene();
    loading.worker.load = () => new Promise(() => undefined);
    const prepared = expect(loading.seat.prepare(1)).rejects.toThrow('over');
    await vi.advanceTimersByTimeAsync(1000);
    loading.seat.close();
    await prepared;
    await vi.advanceTimersByTimeAsync(1000);
    expect([loading.worker.terminated, vi.getTimerCount()]).toEqual([true, 0]);

    const scene = new SeatScene();
    const parameters = { version: 1, values: Float32Array.of(1) };
    const answers = [scene.seat.predict(text, parameters), scene.seat.predict(text, parameters)];
    const refused = answers.map((answer) => expect(answer).rejects.toThrow('ended before the text was tried'));
    await settle();
    scene.seat.close();
    await Promise.all(refused);
    await expect(scene.seat.predict(text, parameters)).rejects.toThrow('ended');
  });

  it('says nothing more over its link', async () => {
    const scene = new SeatScene();
    await scene.send(order(tag(1), [5], 42));
    scene.seat.close();
    scene.worker.gradient(5);
    await settle();
    expect(scene.answers).toEqual([]);
  });
});
