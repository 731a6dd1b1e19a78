import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DataHeader } from '../../signaling/protocol/exchange/data-messages.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { type RunningEvaluation, runEvaluation } from '../../web/session/rounds/run-evaluation.ts';
import { Emitter } from '../../web/session/world/emitter.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';

/** An evaluation over real links in memory; devices answer when the test lets them. */
const LABELS = 2;
type Asked = {
  readonly device: string;
  readonly header: Extract<DataHeader, { type: 'evaluate' }>;
  readonly link: MessageLink;
};

class Scene {
  readonly deviceLinks = new DeviceLinks();
  readonly changed = new Emitter<void>();
  readonly asked: Asked[] = [];
  /** First example of each chunk that was asked for over a link, told by its token ids. */
  readonly starts = new Map<MessageLink, number[]>();
  readonly progress: number[] = [];
  readonly conduct: { late: readonly string[]; answered: readonly string[] }[] = [];
  readonly abort = new AbortController();
  /** Whom the room has for ready, with a link or without. */
  readonly ids: string[] = [];
  listeners = 0;
  /** Held back until the test says so, where it wants to. */
  batches: Promise<void> = Promise.resolve();

  attach(id: string): void {
    const [hostEnd, link] = localLinkPair();
    link.onMessage(({ header, tensors }) => {
      if (header.type !== 'evaluate') return;
      this.asked.push({ device: id, header, link });
      this.starts.set(link, [...(this.starts.get(link) ?? []), tensors[0]?.[0] ?? 0]);
    });
    if (!this.ids.includes(id)) this.ids.push(id);
    this.deviceLinks.attach(id, hostEnd);
    this.changed.emit();
  }

  run(examples: number): Promise<Float32Array> {
    return this.begin(examples).logits;
  }

  begin(examples: number, beside = false): RunningEvaluation {
    return runEvaluation({
      term: 1,
      evaluation: 1,
      // A chunk of two seconds is 32 of them.
      lengths: new Int32Array(examples).fill(1),
      beside,
      labelCount: LABELS,
      chunk: async (start, count) => {
        await this.batches;
        return batch(start, count);
      },
      parameters: { version: 0, values: new Float32Array(1) },
      deviceLinks: this.deviceLinks,
      evaluators: () => this.ids.map((device) => ({ device, overheadSeconds: 0, secondsPerToken: 1 / 16 })),
      onConduct: (late, answered) => void this.conduct.push({ late, answered }),
      onTrainers: (listener) => {
        this.listeners++;
        const off = this.changed.on(listener);
        return () => {
          this.listeners--;
          off();
        };
      },
      nameOf: (id) => id,
      onProgress: (done) => this.progress.push(done),
      signal: this.abort.signal,
    });
  }

  /** Answers everything that was asked and is not answered, with each example's number and its negative. */
  async answerAll(but: string | null = null): Promise<void> {
    await settle();
    for (const asked of this.asked.splice(0)) {
      if (asked.device === but) continue;
      const { tag, samples } = asked.header;
      const logits = new Float32Array(samples * LABELS);
      const start = this.starts.get(asked.link)?.shift() ?? 0;
      for (let i = 0; i < samples; i++) logits.set([start + i, -(start + i)], i * LABELS);
      await asked.link.send({ header: { type: 'logits', tag }, tensors: [logits] });
    }
    await settle();
  }
}

const batch = (start: number, count: number): TokenBatch => ({
  ids: new Int32Array(count).fill(start),
  lengths: new Int32Array(count).fill(1),
  labels: new Float32Array(count),
  positions: new Int32Array(count),
  tokens: 1,
});
const settle = () => vi.advanceTimersByTimeAsync(0);
const expected = (examples: number): number[] => Array.from({ length: examples }, (_, i) => [i, -i]).flat();

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('an evaluation over links', () => {
  it('has all logits in their places', async () => {
    const scene = new Scene();
    scene.attach('a');
    scene.attach('b');
    const logits = scene.run(150);
    for (let i = 0; i < 3; i++) await scene.answerAll();
    expect([...(await logits)].map((x) => x + 0)).toEqual(expected(150).map((x) => x + 0));
    expect(scene.progress.at(-1)).toBe(150);
    expect([vi.getTimerCount(), scene.listeners]).toEqual([0, 0]);
  });

  it('sends a device the parameters once, also those of before the first round', async () => {
    const scene = new Scene();
    scene.attach('a');
    const logits = scene.run(64);
    await settle();
    expect(scene.asked[0].header).toMatchObject({ version: 0, parameters: true });
    await scene.answerAll();
    expect(scene.asked[0].header).toMatchObject({ version: 0, parameters: false });
    await scene.answerAll();
    await logits;
  });

  it('that is ended asks nobody any more, not even for what was being made ready', async () => {
    const scene = new Scene();
    let ready: () => void = () => undefined;
    scene.batches = new Promise((resolve) => {
      ready = resolve;
    });
    scene.attach('a');
    const logits = scene.run(64);
    const ended = expect(logits).rejects.toThrow('The evaluation was ended.');
    await settle();
    scene.abort.abort();
    ready();
    await settle();
    await ended;
    expect(scene.asked).toEqual([]);
  });

  it('asks nobody whose link is down, whatever the room says', async () => {
    const scene = new Scene();
    scene.ids.push('gone');
    scene.attach('a');
    const logits = scene.run(64);
    await scene.answerAll();
    await scene.answerAll();
    expect(await logits).toHaveLength(128);
  });

  it('has all logits although one device leaves in the middle', async () => {
    const scene = new Scene();
    scene.attach('a');
    scene.attach('b');
    const logits = scene.run(64);
    await scene.answerAll('b');
    scene.deviceLinks.detach('b');
    for (let i = 0; i < 3; i++) await scene.answerAll();
    expect([...(await logits)].map((x) => x + 0)).toEqual(expected(64).map((x) => x + 0));
    expect([scene.progress[0], scene.progress.at(-1)]).toEqual([0, 64]);
    expect(scene.progress).toEqual(scene.progress.toSorted((a, b) => a - b));
  });

  it('sends a chunk that was made ready for a link over no other', async () => {
    const scene = new Scene();
    let ready = (): void => undefined;
    scene.batches = new Promise((resolve) => {
      ready = resolve;
    });
    scene.attach('a');
    const logits = scene.run(32);
    await settle();
    // The link goes and another comes before the first batch is read: the chunk goes out once.
    scene.attach('a');
    ready();
    await settle();
    expect(scene.asked).toHaveLength(1);
    await scene.answerAll();
    expect(await logits).toHaveLength(64);
  });

  it('beside rounds asks when a round begins, for what it is told, and for the rest when rounds are over', async () => {
    const scene = new Scene();
    scene.attach('a');
    const running = scene.begin(64, true);
    await settle();
    expect(scene.asked).toHaveLength(0);
    running.allow(new Map([['a', { seconds: 0.5, aheadSeconds: 1 }]]));
    await settle();
    expect(scene.asked.map(({ header }) => header.samples)).toEqual([8]);
    await scene.answerAll();
    expect(scene.asked).toHaveLength(0);
    running.hurry();
    for (let i = 0; i < 2; i++) await scene.answerAll();
    expect(await running.logits).toHaveLength(128);
  });

  it('takes logits of another size for a failure, and asks again a second later', async () => {
    const scene = new Scene();
    scene.attach('a');
    const logits = scene.run(4);
    await settle();
    const [{ link, header }] = scene.asked.splice(0);
    await link.send({ header: { type: 'logits', tag: header.tag }, tensors: [new Float32Array(3)] });
    await vi.advanceTimersByTimeAsync(900);
    expect(scene.asked).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(scene.asked).toHaveLength(1);
    await scene.answerAll();
    expect(await logits).toHaveLength(8);
  });

  it('is given up with the sentence of a device that keeps failing', async () => {
    const scene = new Scene();
    scene.attach('a');
    const ended = expect(scene.run(4)).rejects.toThrow('a failed: Out of memory.');
    for (let i = 0; i < 4; i++) {
      await vi.advanceTimersByTimeAsync(1000);
      const [{ link, header }] = scene.asked.splice(0);
      await link.send({ header: { type: 'failed', tag: header.tag, sentence: 'Out of memory.' }, tensors: [] });
      await settle();
    }
    await ended;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends with the session, also while a batch is read', async () => {
    const scene = new Scene();
    scene.batches = new Promise(() => undefined);
    scene.attach('a');
    const ended = expect(scene.run(32)).rejects.toThrow('evaluation was ended');
    await settle();
    scene.abort.abort();
    await ended;
    expect(vi.getTimerCount()).toBe(0);
  });
});
