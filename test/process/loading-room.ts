import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HeadlessEnvironment, headlessEnvironment } from '../../signaling/node/node-environment.ts';
import { type ModelShape, PLAIN_TRAINING } from '../../signaling/protocol/settings.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import { OwnSession } from '../../web/session/own-session.ts';
import type { Session, SessionView } from '../../web/session/view/view.ts';
import { randomModelFile } from '../files/random-file.ts';
import { RangeServer, servedBytes } from '../files/range-server.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const at = (name: string) => `/some/model/resolve/main/${name}`;
const PATIENCE_MS = 100_000;
const ROUNDS = 5;

/** Two layers, and a table of embeddings that makes it as large as is wanted: little to compute, much to fetch. */
export const wideModel = (vocabSize: number): ModelShape => ({
  ...{ layers: 2, hiddenSize: 128, heads: 4, ffnSize: 256, vocabSize },
  ...{ maxPositions: 66, layerNormEps: 1e-5, padTokenId: 1 },
});

/** A real server, a hub that counts its bytes, and devices of this process on real WebRTC, each with a disk of its own. */
export class LoadingRoom {
  readonly hub = new RangeServer();
  readonly modelBytes: number;
  readonly #file: ReturnType<typeof randomModelFile>;
  readonly #shape: ModelShape;
  readonly #shares: boolean;
  readonly #sessions: Session[] = [];
  readonly #environments: HeadlessEnvironment[] = [];
  #server: RunningServer | null = null;
  #folder = '';

  /** `shares`: whether devices give each other the model; otherwise each fetches it alone. */
  constructor(shape: ModelShape, shares = true) {
    this.#shape = shape;
    this.#shares = shares;
    this.#file = randomModelFile(shape);
    this.modelBytes = this.#file.size;
  }

  async open(): Promise<this> {
    const { layers, hiddenSize, heads, ffnSize, vocabSize, maxPositions, layerNormEps } = this.#shape;
    const config = {
      ...{ model_type: 'roberta', num_hidden_layers: layers, hidden_size: hiddenSize, num_attention_heads: heads },
      ...{ intermediate_size: ffnSize, vocab_size: vocabSize, layer_norm_eps: layerNormEps },
      max_position_embeddings: maxPositions,
    };
    this.hub.files.set(at('model.safetensors'), servedBytes(this.#file.bytes(0, this.#file.size), '"one"'));
    this.hub.files.set(at('config.json'), servedBytes(new TextEncoder().encode(JSON.stringify(config)), '"config"'));
    const tokenizer = await readFile(project('models/roberta-mini/tokenizer.json'));
    this.hub.files.set(at('tokenizer.json'), servedBytes(tokenizer, '"tokenizer"'));
    await this.hub.start();
    this.#folder = await mkdtemp(join(tmpdir(), 'tabloom-loading-'));
    this.#server = await startServer({
      ...{ port: 0, host: '127.0.0.1', pageFolder: null, modelsFolder: project('models'), hubFolder: null },
      ...{ iceServers: [], log: () => undefined },
    });
    return this;
  }

  /** Once it has its invitation, and, unless told otherwise, the model. */
  async host(isLoaded = true): Promise<OwnSession> {
    const environment = await this.#environment('host');
    const origin = environment.origin;
    const session = new OwnSession(
      environment,
      {
        model: { kind: 'hub', id: 'some/model', endpoint: this.hub.url, revision: 'main' },
        weights: 'f32',
        task: { id: 'grammar', endpoint: origin },
        lora: { rank: 4, alpha: 8, targets: ['query', 'value'] },
        training: {
          ...PLAIN_TRAINING,
          ...{ rounds: ROUNDS, samplesPerRound: 8, maxTokens: 32, learningRate: 1e-3, weightDecay: 0 },
          ...{ warmupFraction: 0, dropout: 0, evaluateEvery: 0, seed: 1 },
        },
        origin,
      },
      { name: 'host', policy: 'data-parallel', slowdown: 1, patience: 0, door: 'link' },
    );
    this.#sessions.push(session);
    await until(session, ({ invitation }) => invitation !== null);
    if (isLoaded) await this.ready(session);
    return session;
  }

  /** Once it has the model and was measured. */
  ready(session: Session): Promise<void> {
    return until(session, isReady);
  }

  /** Seconds until it is ready. */
  async device(name: string): Promise<number> {
    const invitation = this.#sessions[0]?.view.invitation;
    if (invitation == null) throw new Error('There is no host yet.');
    const began = performance.now();
    const session = new JoinSession(await this.#environment(name), invitation, { name, watch: false, slowdown: 1 });
    this.#sessions.push(session);
    await until(session, isReady);
    return (performance.now() - began) / 1000;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.toReversed()) session.leave();
    this.hub.stop();
    await this.#server?.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #environment(name: string): Promise<HeadlessEnvironment> {
    const environment = await headlessEnvironment(`http://127.0.0.1:${this.#server?.port}`, {
      memoryLimitBytes: 2e9,
      cacheFolder: this.#shares ? join(this.#folder, name) : null,
      allowPrivate: true,
    });
    this.#environments.push(environment);
    return environment;
  }
}

const isReady = ({ room, self }: SessionView): boolean =>
  room?.devices.find(({ id }) => id === self)?.status.kind === 'ready';

export function until(session: Session, satisfied: (view: SessionView) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (view: SessionView): void => {
      const said = view.notices.map(({ sentence }) => sentence).join(' ');
      if (satisfied(view)) settle(null);
      else if (view.ended !== null) settle(new Error(`The session ended: ${view.ended} ${said}`));
    };
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      off();
      if (error === null) resolve();
      else reject(error);
    };
    const timer = setTimeout(() => {
      const { room, notices } = session.view;
      const seen = room?.devices.map(({ name, status, linked }) => ({ name, status, linked }));
      settle(new Error(`Nothing in time: ${JSON.stringify({ seen, notices })}`));
    }, PATIENCE_MS);
    const off = session.subscribe(look);
    look(session.view);
  });
}
