import type { ClientMessage } from '../../../signaling/protocol/messages.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../../../signaling/protocol/profile.ts';
import type { DeviceStatus } from '../../../signaling/protocol/room-view.ts';
import type { Extent, SessionSettings } from '../../../signaling/protocol/settings.ts';
import type { UnitRun } from '../../../signaling/protocol/split.ts';
import { DEFAULT_AUDITS } from '../../../signaling/protocol/words/audits.ts';
import type { Pretence } from '../../../worker/api/device-api.ts';
import type { HostRequest, HostWorkerApi, OpenedSession } from '../../../worker/api/host-api.ts';
import { localLinkPair, type MessageLink } from '../links/message-link.ts';
import { RoomClient, type RoomMessage } from '../links/room-client.ts';
import type { DeviceLinks } from '../rounds/device-links.ts';
import type { Measured } from '../rounds/model-worker.ts';
import type { TrainerSeat } from '../rounds/trainer-seat.ts';
import { DeviceSeats, type SeatsOwner } from '../stages/device-seats.ts';
import { Training } from '../training/training.ts';
import type { HostOptions } from '../view/view.ts';
import type { ViewStore } from '../view/view-store.ts';
import type { SessionEnvironment } from '../world/environment.ts';
import type { Identity } from '../world/identity.ts';
import { Heirs } from './heirs.ts';
import { hostEntry } from './host-entry.ts';
import { HostLinks } from './host-links.ts';
import type { OwnDoor } from './own-door.ts';
import type { OwnKeeping } from './own-keeping.ts';
import type { Resumed } from './session-note.ts';

/** Of the key by which it is drawn who is audited. */
const AUDIT_KEY_BYTES = 32;

export interface OwnRoomContext {
  readonly environment: SessionEnvironment;
  readonly identity: Identity;
  readonly term: number;
  readonly options: HostOptions;
  readonly settings: SessionSettings;
  readonly secondDev: OpenedSession['secondDev'];
  readonly resumed: Resumed | null;
  readonly store: ViewStore;
  readonly entrance: OwnDoor;
  readonly keeping: OwnKeeping;
  readonly deviceLinks: DeviceLinks;
  readonly worker: HostWorkerApi;
  readonly task: HostRequest['task'];
  /** Those of this device, where it was in the session before. */
  readonly seats: DeviceSeats | null;
  readonly pretence: Pretence | null;
  readonly onMessage: (message: RoomMessage) => void;
}

/** A session of one's own from the moment that it has a room: its connections, its own device, and its rounds. */
export class OwnRoom {
  readonly #context: OwnRoomContext;
  readonly #client: RoomClient;
  readonly #offHidden: () => void;
  readonly #offMoved: (() => void) | undefined;
  readonly #links: HostLinks;
  readonly training: Training;
  readonly heirs: Heirs;
  readonly #seats: DeviceSeats;
  #profile: Profile | null = null;
  #status: DeviceStatus = { kind: 'joining' };
  #holds: UnitRun | null = null;
  /** Where it is another one than the settings'. */
  #extent: Extent | null = null;

  constructor(context: OwnRoomContext) {
    const { environment, settings, secondDev, options, store, entrance, keeping, deviceLinks, worker } = context;
    this.#context = context;
    const client = new RoomClient(
      environment,
      () => this.#enter(),
      () => this.#code,
    );
    this.#client = client;
    client.onMessage(context.onMessage);
    client.onIntroduction((introduction) => this.#links.introduce(introduction));
    client.onState((server) => store.dispatch({ type: 'server', server }));
    this.#offHidden = environment.onHidden((hidden) => client.send({ type: 'hidden', hidden }));
    this.#offMoved = environment.onMoved?.(() => this.#links.moved());
    const resumed = context.resumed && { round: context.resumed.round, finished: context.resumed.note.finished };
    const { term, task } = context;
    const audits = options.audits ?? DEFAULT_AUDITS;
    const { patience } = options;
    const given = context.resumed?.key?.given ?? [];
    const heirs = new Heirs({ term, task, given, patience, audits, worker, deviceLinks, entrance, store });
    this.heirs = heirs;
    this.training = new Training({
      term,
      settings,
      extent: () => this.#extent ?? settings.training,
      resumed,
      secondDev,
      patience,
      worker,
      audits: {
        share: audits,
        key: environment.randomBytes(AUDIT_KEY_BYTES),
        standings: context.resumed?.standings,
        onLiar: (device) => entrance.remove(device),
      },
      deviceLinks,
      mayLead: (device) => heirs.mayLead(device),
      tellHeirs: (report) => heirs.tellReport(report),
      room: () => store.view.room,
      store,
      send: (message) => client.send(message),
      onRound: (round, resting) => {
        heirs.tellStandings(this.training.standings(store.view.room?.devices.map(({ id }) => id) ?? []));
        keeping.roundDone(round, resting);
      },
      onPhase: (phase) => {
        if (phase !== 'training') keeping.now();
      },
    });
    const onLinked = (device: string, link: MessageLink) => this.#seats.exchange.attach(device, link);
    this.#links = new HostLinks({ environment, entrance, settings, client, deviceLinks, store, onLinked });
    this.#seats = this.#ownDevice();
  }

  get seat(): TrainerSeat {
    return this.#seats.trainer;
  }

  send(message: ClientMessage): void {
    this.#client.send(message);
  }

  /** Before the first round: how far training goes. */
  async setExtent(extent: Extent): Promise<void> {
    if (this.training.phase !== 'gathering' || this.training.round > 0) return;
    this.#extent = extent;
    // Before whatever starts the rounds, here as at the server.
    this.send({ type: 'extent', extent });
    await this.#context.worker.setExtent(extent);
  }

  /** What proves to a server that forgot the room that its code is this session's. */
  get claim(): string | null {
    return this.#client.claim ?? this.#context.resumed?.key?.claim ?? null;
  }

  /** Of this device's own part in the rounds. */
  async pretend(pretence: Pretence): Promise<void> {
    await this.#seats.pretend(pretence);
  }

  /** A device's digits were compared, and were the same. */
  compared(device: string): void {
    this.#links.compared(device);
  }

  /** The view has a new room. */
  roomChanged(): void {
    const { room } = this.#context.store.view;
    if (room === null) return;
    this.#links.reconcile(room);
    this.#seats.roomChanged();
    this.training.roomChanged();
  }

  close(): void {
    this.#offHidden();
    this.#offMoved?.();
    this.training.close();
    this.#seats.close();
    this.#links.close();
    this.#client.close();
  }

  /** The host's own device, which trains over a link in memory. */
  #ownDevice(): DeviceSeats {
    const { environment, identity, settings, options, store, seats: kept } = this.#context;
    const owner: SeatsOwner = {
      slowdown: options.slowdown,
      ...{ isHost: true, room: () => store.view.room },
      onStatus: (status) => this.#setStatus(status),
      onMeasured: (measured) => this.#measured(measured),
      onFresh: ({ measured, linkBitsPerSecond }, best) => {
        this.#profile = { ...best, linkBitsPerSecond };
        this.send({ type: 'profile', profile: { ...measured, linkBitsPerSecond }, again: true });
      },
      onHolds: (run) => {
        this.#holds = run;
        this.send({ type: 'holds', run });
      },
      onStanding: (status) => this.#setStatus(status),
      onFailed: (sentence) => this.#setStatus({ kind: 'failed', sentence }),
      onNews: (sentence) => store.notice('problem', sentence),
    };
    const handed = kept?.handTo(owner) ?? null;
    if (kept !== null && handed !== null) {
      this.#holds = kept.trainer.model.holds;
      this.#attach(kept);
      this.#profile = { ...handed.measured, linkBitsPerSecond: LOCAL_LINK_BITS_PER_SECOND };
      this.#setStatus(handed.standing);
      return kept;
    }
    kept?.close();
    const seats = new DeviceSeats(environment, {
      self: identity.id,
      settings,
      pretence: this.#context.pretence,
      ...owner,
    });
    seats.begin();
    return seats;
  }

  #measured(measured: Measured): void {
    if (this.#profile === null) this.#attach(this.#seats);
    this.#profile = { ...measured, linkBitsPerSecond: LOCAL_LINK_BITS_PER_SECOND };
    this.send({ type: 'profile', profile: this.#profile });
  }

  #attach(seats: DeviceSeats): void {
    const { identity, deviceLinks } = this.#context;
    const [hostEnd, deviceEnd] = localLinkPair();
    seats.attach(deviceEnd, LOCAL_LINK_BITS_PER_SECOND);
    deviceLinks.attach(identity.id, hostEnd, false);
  }

  /** The room's, which it has or had. */
  get #code(): string | undefined {
    const { store, resumed } = this.#context;
    return store.view.room?.id ?? resumed?.key?.room;
  }

  #enter(): readonly ClientMessage[] {
    const { identity, settings, entrance, store } = this.#context;
    const { view } = store;
    return hostEntry({
      device: identity,
      term: this.#context.term,
      settings: { ...settings, training: { ...settings.training, ...this.#extent } },
      extent: this.#extent,
      code: this.#code,
      claim: this.claim,
      isClaimed: !this.#client.unclaimed,
      status: this.#status,
      profile: this.#profile,
      holds: this.#holds,
      phase: this.training.phase,
      door: entrance.entry,
      view,
    });
  }

  #setStatus(status: DeviceStatus): void {
    this.#status = status;
    this.#context.store.dispatch({ type: 'status', status });
    this.send({ type: 'status', status });
  }
}
