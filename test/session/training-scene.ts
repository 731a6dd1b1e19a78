import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { encodeUpload, encodeUploads } from '../../signaling/protocol/exchange/upload-codec.ts';
import type { ClientMessage } from '../../signaling/protocol/messages.ts';
import type { DeviceView, RoomView, ScoreReport } from '../../signaling/protocol/room-view.ts';
import type { Block, ChunkTag } from '../../signaling/protocol/round.ts';
import type { SessionSettings } from '../../signaling/protocol/settings.ts';
import { SETTINGS_VERSION } from '../../signaling/protocol/version.ts';
import { localLinkPair, type MessageLink } from '../../web/session/links/message-link.ts';
import { DeviceLinks } from '../../web/session/rounds/device-links.ts';
import { dueOf } from '../../web/session/rounds/round.ts';
import { Training, type TrainingContext } from '../../web/session/training/training.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { ViewStore } from '../../web/session/view/view-store.ts';
import type { HostRequest, OpenedSession } from '../../worker/api/host-api.ts';
import { Host } from '../../worker/host/host.ts';
import { type ParameterLayout, parameterLayout } from '../../worker/model/layout.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { SMALL_REQUEST } from '../host/node-host.ts';
import { profile } from '../protocol/samples.ts';

/** What a device says to its order: nothing, that it failed, or its parts. */
type Answer = (message: DataMessage<'order'>, device: string) => 'parts' | 'fail' | 'nothing';

type Change = Partial<Pick<TrainingContext, 'extent' | 'resumed' | 'patience' | 'term' | 'worker'>> & {
  /** Part of the compute that audits take; none without it. */
  readonly share?: number;
  /** What a checkpoint's note brings back to the view before training is made. */
  readonly recalled?: readonly ScoreReport[];
};

const HOST = 'hosthost';
/** Of every sample that a device trains on. */
export const LOSS = 0.7;

/** Rounds of a real host on the generated task. Its devices answer at once, with gradients of 0.01 a sample and the loss above. */
export class TrainingScene {
  readonly store = new ViewStore('host', HOST);
  readonly deviceLinks = new DeviceLinks();
  readonly sent: ClientMessage[] = [];
  readonly phases: string[] = [];
  readonly rounds: { readonly round: number; readonly resting: boolean }[] = [];
  readonly orders: DataMessage<'order'>['header'][] = [];
  /** Reports for heirs, and steps as devices hear of them. */
  readonly heard: string[] = [];
  readonly chunks: ChunkTag[] = [];
  /** Chunks of these parameters nobody answers. */
  holdsBack: (version: number) => boolean = () => false;
  /** How long devices take for an order. */
  orderMs = 0;
  /** Of a round, as the plan predicts it: a tenth is there for scores. */
  latencySeconds = 1;
  readonly training: Training;
  readonly host: Host;
  answer: Answer = () => 'parts';
  /** What a device's gradients of a round are multiplied by; audits it answers truly. */
  lie: (device: string, round: number) => number = () => 1;
  /** Whose logits have the other sign. */
  falsifies: (device: string) => boolean = () => false;
  /** Audits are answered no earlier. */
  beforeAudits: Promise<void> = Promise.resolve();
  readonly removed: string[] = [];
  room: RoomView;
  readonly #layout: ParameterLayout;
  readonly #opened: OpenedSession;

  private constructor(host: Host, opened: OpenedSession, request: HostRequest, change: Change) {
    this.host = host;
    this.#opened = opened;
    this.#layout = parameterLayout(opened.shape, opened.lora, opened.task.labelCount);
    const { shape, task, lora } = opened;
    const { model, weights } = request;
    const settings: SessionSettings = {
      version: SETTINGS_VERSION,
      model,
      weights,
      shape,
      task,
      lora,
      training: opened.training,
      policy: 'data-parallel',
    };
    this.room = {
      id: 'abc234',
      settings,
      phase: 'gathering',
      host: HOST,
      devices: [],
      plan: null,
      planNote: null,
    };
    const { recalled = [], share = 0, ...context } = change;
    for (const report of recalled) this.store.dispatch({ type: 'score', report });
    this.training = new Training({
      term: 1,
      audits: { share, key: new Uint8Array(32), onLiar: (device) => this.#remove(device) },
      settings,
      extent: () => settings.training,
      resumed: null,
      secondDev: null,
      patience: 0,
      worker: host,
      deviceLinks: this.deviceLinks,
      mayLead: () => true,
      tellHeirs: ({ round }) => void this.heard.push(`report ${round}`),
      room: () => this.room,
      store: this.store,
      send: (message) => void this.sent.push(message),
      onRound: (round, resting) => void this.rounds.push({ round, resting }),
      onPhase: (phase) => void this.phases.push(phase),
      ...context,
    });
  }

  static async open(training: Partial<HostRequest['training']>, change: Change = {}): Promise<TrainingScene> {
    const host = new Host(openFileOrHttp);
    const request = { ...SMALL_REQUEST, training: { ...SMALL_REQUEST.training, rounds: 3, ...training } };
    return new TrainingScene(host, await host.open(request), request, change);
  }

  /** Devices, the samples dealt out evenly among them; each trains all blocks. */
  join(...ids: string[]): void {
    const devices = ids.map(
      (id): DeviceView => ({
        id,
        name: id,
        kind: 'tab',
        status: { kind: 'ready' },
        hidden: false,
        linked: true,
        online: true,
        peerId: null,
        profile: profile(),
      }),
    );
    this.#deal(devices);
    for (const id of ids) this.#attach(id);
    this.training.roomChanged();
  }

  #deal(devices: readonly DeviceView[]): void {
    const share = this.room.settings.training.samplesPerRound / devices.length;
    const plan: RoomView['plan'] = {
      version: 1,
      policy: 'data-parallel',
      solver: '',
      solveMs: 0,
      latencySeconds: this.latencySeconds,
      lowerBoundSeconds: 1,
      limitedBy: '',
      explanation: '',
      assignments: devices.map(({ id: device }, i) => ({
        device,
        layers: Array.from({ length: this.#opened.shape.layers }, (_, layer) => layer),
        head: true,
        samples: { start: i * share, count: share },
        microBatch: share,
        memoryBytes: 0,
        share: 1,
        uploadBits: 0,
        computeSeconds: 1,
        uploadSeconds: 0,
      })),
    };
    this.room = { ...this.room, devices: [...devices], plan };
    this.store.dispatch({ type: 'message', message: { type: 'room', room: this.room } });
  }

  /** The first view that satisfies. */
  until(satisfied: (view: SessionView) => boolean): Promise<SessionView> {
    return new Promise((resolve) => {
      const look = (view: SessionView): void => {
        if (!satisfied(view)) return;
        off();
        resolve(view);
      };
      const off = this.store.subscribe(look);
      look(this.store.view);
    });
  }

  /** Settles when training is in the phase. */
  async phase(phase: string): Promise<void> {
    while (this.training.phase !== phase) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  reports(): readonly Extract<ClientMessage, { type: 'round' }>['report'][] {
    return this.sent.flatMap((message) => (message.type === 'round' ? [message.report] : []));
  }

  /** Its samples are dealt out among the others. */
  #remove(device: string): void {
    this.removed.push(device);
    this.deviceLinks.detach(device);
    this.#deal(this.room.devices.filter(({ id }) => id !== device));
  }

  #attach(id: string): void {
    const [hostEnd, link] = localLinkPair();
    link.onMessage((message) => void this.#take(id, link, message));
    this.deviceLinks.attach(id, hostEnd);
  }

  async #take(device: string, link: MessageLink, message: DataMessage): Promise<void> {
    const { header, tensors } = message;
    if (header.type === 'update') this.heard.push(`step ${header.version}`);
    if (header.type === 'evaluate') {
      this.chunks.push(header.tag);
      if (this.holdsBack(header.version)) return;
      // Everything is of the first class.
      const logits = Float32Array.from(
        { length: 2 * header.samples },
        (_, i) => (i % 2 === 0 ? 1 : 0) * (this.falsifies(device) ? -1 : 1),
      );
      await link.send({ header: { type: 'logits', tag: header.tag }, tensors: [logits] });
    } else if (header.type === 'audit') {
      await this.beforeAudits;
      const { tag, layers, samples } = header;
      const blocks = ['head' as const, ...layers];
      const parts = blocks.map((block) => ({ block, gradient: this.#gradient(block, 0.01 * samples.count) }));
      const answer = { blocks, lossSum: LOSS * samples.count, computeSeconds: 1 };
      const key = { seed: header.dropout.seed, round: header.round, position: tensors[3]![0]! };
      const encoded = encodeUploads(parts, this.#opened.training.uploads, key);
      await link.send({ header: { type: 'audited', tag, ...answer }, tensors: encoded });
    } else if (header.type === 'order') {
      this.orders.push(header);
      const { tag, samples } = header;
      const answer = this.answer({ header, tensors }, device);
      if (this.orderMs > 0) await new Promise((resolve) => setTimeout(resolve, this.orderMs));
      if (answer === 'nothing') return;
      if (answer === 'fail') {
        await link.send({ header: { type: 'failed', tag, sentence: 'Out of memory.' }, tensors: [] });
        return;
      }
      for (const due of dueOf(header)) {
        if (due === 'done') {
          const lossSum = LOSS * samples.count;
          await link.send({ header: { type: 'done', tag, lossSum, computeSeconds: 1 }, tensors: [] });
          continue;
        }
        const gradient = this.#gradient(due, 0.01 * samples.count * this.lie(device, tag.round));
        const key = { seed: header.dropout.seed, round: tag.round, block: due, position: tensors[3]![0]! };
        const encoded = encodeUpload(gradient, this.#opened.training.uploads, key);
        await link.send({ header: { type: 'gradient', tag, block: due }, tensors: encoded });
      }
    }
  }

  #gradient(block: Block, value: number): Float32Array {
    const { length } = block === 'head' ? this.#layout.head : this.#layout.layers[block]!;
    return new Float32Array(length).fill(value);
  }
}
