import type { ClientMessage, ServerMessage } from '../../signaling/protocol/messages.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import { LOCAL_LINK_BITS_PER_SECOND } from '../../signaling/protocol/profile.ts';
import type { DeviceStatus, RoomView } from '../../signaling/protocol/room-view.ts';
import type { Policy, SessionSettings } from '../../signaling/protocol/settings.ts';
import type { AdapterChoice, ExportedFile, HostRequest, HostWorkerApi } from '../../worker/rpc.ts';
import { ChannelLink } from './channel-link.ts';
import type { SessionEnvironment, WorkerHandle } from './environment.ts';
import { Fleet } from './fleet.ts';
import { answerProbes } from './link-probe.ts';
import { localLinkPair } from './message-link.ts';
import { PeerAddress } from './peer-links.ts';
import { predictionOf } from './prediction.ts';
import { RoomClient } from './room-client.ts';
import { type Identity, messageOf, newIdentity, tensorSizes, ViewStore } from './session-base.ts';
import { TrainerSeat } from './trainer-seat.ts';
import { Training } from './training.ts';
import type { HostOptions, HostSession, Prediction, SessionView } from './view.ts';

const PROGRESS_EVERY_MS = 200;
/** A tab may reach the host before the room has told the host of its address. */
const INTRODUCTION_MS = 10_000;

/** The device that created the session: it holds task and parameters, merges, and trains like any other. */
export class OwnSession implements HostSession {
  readonly #environment: SessionEnvironment;
  readonly #options: HostOptions;
  readonly #identity: Identity;
  readonly #store: ViewStore;
  readonly #worker: WorkerHandle<HostWorkerApi>;
  readonly #fleet = new Fleet();
  readonly #offs: (() => void)[] = [];
  #client: RoomClient | null = null;
  #address: PeerAddress | null = null;
  #peerId: string | null = null;
  #seat: TrainerSeat | null = null;
  #profile: Profile | null = null;
  #status: DeviceStatus = { kind: 'joining' };
  #training: Training | null = null;
  #over = false;

  constructor(environment: SessionEnvironment, request: HostRequest, options: HostOptions) {
    this.#environment = environment;
    this.#options = options;
    this.#identity = newIdentity(environment, options.name);
    this.#store = new ViewStore('host', this.#identity.id);
    this.#worker = environment.startHostWorker();
    this.#offs.push(environment.onLeaving(() => this.leave()));
    this.#open(request).catch((error: unknown) => this.#end(messageOf(error)));
  }

  get view(): SessionView {
    return this.#store.view;
  }

  subscribe(listener: (view: SessionView) => void): () => void {
    return this.#store.subscribe(listener);
  }

  start(): void {
    this.#training?.start();
  }

  pause(): void {
    this.#training?.pause();
  }

  finish(): void {
    this.#training?.finish();
  }

  setPolicy(policy: Policy): void {
    this.#client?.send({ type: 'policy', policy });
  }

  exportAdapter(which: AdapterChoice): Promise<readonly ExportedFile[]> {
    return this.#worker.api.exportAdapter(which);
  }

  exportMerged(which: AdapterChoice): Promise<readonly ExportedFile[]> {
    return this.#worker.api.exportMerged(which);
  }

  exportOnnx(which: AdapterChoice): Promise<readonly ExportedFile[]> {
    return this.#worker.api.exportOnnx(which);
  }

  async tryText(text: string, pair: string | null): Promise<Prediction> {
    const { room } = this.#store.view;
    if (this.#over) throw new Error('The session is over.');
    if (this.#status.kind === 'failed') throw new Error(`This device cannot run the model: ${this.#status.sentence}`);
    if (room === null || this.#seat === null || this.#status.kind !== 'ready')
      throw new Error('The model is still loading on this device; try again in a moment.');
    const { api } = this.#worker;
    const batch = await api.textBatch(text, pair);
    return predictionOf(room.settings.task, await this.#seat.predict(batch, await api.parameters()));
  }

  runLog(): string {
    return '';
  }

  async saveCheckpoint(): Promise<ExportedFile> {
    return { name: 'session.tabloom', bytes: await this.#worker.api.checkpoint('') };
  }

  leave(): void {
    if (this.#over) return;
    this.#client?.send({ type: 'leave' });
    this.#end('You ended the session.');
  }

  async #open(request: HostRequest): Promise<void> {
    const { api } = this.#worker;
    const opening = api.open(request);
    let opened = false;
    const watch = async (): Promise<void> => {
      while (!opened && !this.#over) {
        const progress = await api.progress();
        if (!opened) this.#store.dispatch({ type: 'opening', opening: progress });
        await new Promise((resolve) => setTimeout(resolve, PROGRESS_EVERY_MS));
      }
    };
    const settled = opening.finally(() => {
      opened = true;
    });
    const [{ shape, task, lora, version, pairs, badRows }] = await Promise.all([settled, watch()]);
    if (this.#over) return;
    this.#store.dispatch({ type: 'opening', opening: null });
    this.#store.dispatch({ type: 'data', badRows, pairs });
    if (badRows.count > 0) this.#store.notice('problem', `${badRows.count} rows of the data could not be used.`);
    const { model, weights, training } = request;
    this.#enterRoom({ model, weights, shape, task, lora, training, policy: this.#options.policy }, version);
  }

  #enterRoom(settings: SessionSettings, roundsBehind: number): void {
    const client = new RoomClient(this.#environment, () => this.#enter(settings));
    this.#client = client;
    client.onMessage((message) => this.#onMessage(message));
    client.onState((server) => this.#store.dispatch({ type: 'server', server }));
    this.#offs.push(this.#environment.onHidden((hidden) => client.send({ type: 'hidden', hidden })));
    this.#training = new Training({
      settings,
      roundsBehind,
      patience: this.#options.patience,
      worker: this.#worker.api,
      fleet: this.#fleet,
      room: () => this.#store.view.room,
      store: this.#store,
      send: (message) => client.send(message),
    });
    this.#fleet.onEvent((event) => {
      if (event.type === 'message') return;
      client.send({ type: 'linked', device: event.device, linked: event.type === 'attached' });
      if (event.type === 'detached' && !this.#over)
        this.#store.notice('news', `The link to ${this.#nameOf(event.device)} is down: ${event.why}`);
    });

    const address = new PeerAddress(this.#environment);
    this.#address = address;
    address.onAddress((peerId) => {
      this.#peerId = peerId;
      client.send({ type: 'address', peerId });
    });
    address.onIncoming(({ peerId, channel }) => void this.#welcome(settings, peerId, channel));

    const seat = new TrainerSeat(this.#environment, settings, (status) => this.#setStatus(status));
    this.#seat = seat;
    seat.prepare(this.#options.slowdown).then(
      (measured) => {
        const [hostEnd, deviceEnd] = localLinkPair();
        seat.attach(deviceEnd, LOCAL_LINK_BITS_PER_SECOND);
        this.#fleet.attach(this.#identity.id, hostEnd);
        this.#profile = { ...measured, linkBitsPerSecond: LOCAL_LINK_BITS_PER_SECOND };
        client.send({ type: 'profile', profile: this.#profile });
        this.#setStatus({ kind: 'ready' });
      },
      (error: unknown) => {
        if (!this.#over) this.#setStatus({ kind: 'failed', sentence: messageOf(error).slice(0, 400) });
      },
    );
  }

  #enter(settings: SessionSettings): readonly ClientMessage[] {
    const room = this.#store.view.room;
    const device = this.#identity;
    const current = room === null ? settings : { ...settings, policy: room.settings.policy };
    const messages: ClientMessage[] = [
      { type: 'create', device, settings: current, ...(room === null ? {} : { room: room.id }) },
    ];
    if (this.#peerId !== null) messages.push({ type: 'address', peerId: this.#peerId });
    messages.push({ type: 'status', status: this.#status });
    if (this.#profile !== null) messages.push({ type: 'profile', profile: this.#profile });
    if (room !== null) messages.push({ type: 'phase', phase: this.#training?.phase ?? room.phase });
    return messages;
  }

  #setStatus(status: DeviceStatus): void {
    this.#status = status;
    this.#store.dispatch({ type: 'status', status });
    this.#client?.send({ type: 'status', status });
  }

  #onMessage(message: ServerMessage): void {
    this.#store.dispatch({ type: 'message', message });
    const { ended } = this.#store.view;
    if (ended !== null) {
      this.#end(ended);
      return;
    }
    if (message.type === 'error') this.#store.notice('problem', message.sentence);
    if (message.type !== 'room') return;
    this.#reconcile(message.room);
    this.#training?.roomChanged();
  }

  /** The server forgets links when it restarts, and the room tells us of devices that are gone for good. */
  #reconcile(room: RoomView): void {
    for (const { id, linked, online } of room.devices) {
      const open = this.#fleet.has(id);
      this.#fleet.doubt(id, !online);
      if (id !== room.host && linked !== open) this.#client?.send({ type: 'linked', device: id, linked: open });
    }
  }

  /** Accepts a link only from an address that the room knows as one of its devices. */
  async #welcome(settings: SessionSettings, peerId: string, opening: Promise<RTCDataChannel>): Promise<void> {
    try {
      const [channel, device] = await Promise.all([opening, this.#deviceAt(peerId)]);
      if (device === null || this.#over) return channel.close();
      const link = new ChannelLink(channel, tensorSizes(settings));
      answerProbes(link);
      this.#fleet.attach(device, link);
    } catch (error) {
      if (!this.#over) this.#store.notice('news', `A device could not be linked: ${messageOf(error)}`);
    }
  }

  #deviceAt(peerId: string): Promise<string | null> {
    const find = (): string | null => this.#store.view.room?.devices.find((d) => d.peerId === peerId)?.id ?? null;
    const known = find();
    if (known !== null) return Promise.resolve(known);
    return new Promise((resolve) => {
      const settle = (device: string | null): void => {
        clearTimeout(timer);
        off();
        resolve(device);
      };
      const timer = setTimeout(() => settle(null), INTRODUCTION_MS);
      const off = this.#store.subscribe(() => {
        const device = find();
        if (device !== null) settle(device);
      });
    });
  }

  #nameOf(device: string): string {
    return this.#store.view.room?.devices.find((d) => d.id === device)?.name ?? 'a device';
  }

  #end(sentence: string): void {
    if (this.#over) return;
    this.#over = true;
    for (const off of this.#offs) off();
    this.#training?.close();
    this.#seat?.close();
    this.#fleet.closeAll();
    this.#address?.close();
    this.#client?.close();
    this.#worker.terminate();
    this.#store.dispatch({ type: 'ended', sentence });
  }
}
