import { proofKeyOf } from '../../signaling/protocol/door/secret.ts';
import type { ClientMessage, RoomIntroduction } from '../../signaling/protocol/messages.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { DeviceStatus, RoomView } from '../../signaling/protocol/room-view.ts';
import type { UnitRun } from '../../signaling/protocol/split.ts';
import * as say from '../words/session/session.ts';
import { type Bequest, StandBy } from './held/stand-by.ts';
import { joinEntry, profileOf } from './join-entry.ts';
import { type KeptSeat, keepSeat, takeSeat } from './kept-seat.ts';
import { isUnlinked, linkToHost, Relinking } from './link-to-host.ts';
import type { ChannelLink } from './links/channel-link.ts';
import { measureLink } from './links/link-probe.ts';
import { PeerAddress } from './links/peer-links.ts';
import { RoomClient, type RoomMessage } from './links/room-client.ts';
import type { Offer } from './offer.ts';
import type { Measured } from './rounds/model-worker.ts';
import { DeviceSeats } from './stages/device-seats.ts';
import { NeighbourLinks } from './stages/neighbour-links.ts';
import { givenSentence, hostNews, isAway } from './view/host-words.ts';
import type { DevicePretence, InvitedTo, JoinedSession, JoinOptions, SessionView, Successor } from './view/view.ts';
import { ViewStore } from './view/view-store.ts';
import { Emitter } from './world/emitter.ts';
import type { SessionEnvironment } from './world/environment.ts';
import { type Identity, newIdentity } from './world/identity.ts';
import { messageOf } from './world/with-progress.ts';

/** Who a device is in the room already, and what its person is told first. */
export type KnownDevice = Pick<Identity, 'id' | 'key'> & { readonly news?: string };

/** A device (or a watcher) in somebody else's session. */
export class JoinSession implements JoinedSession {
  readonly #environment: SessionEnvironment;
  readonly #options: JoinOptions;
  readonly #identity: Identity;
  readonly #store: ViewStore;
  readonly #client: RoomClient;
  readonly #invitation: InvitedTo;
  readonly #offs: (() => void)[] = [];
  #address: PeerAddress | null = null;
  #introduction: RoomIntroduction | null = null;
  #seats: DeviceSeats | null = null;
  #neighbours: NeighbourLinks | null = null;
  #measured: Measured | null = null;
  #linkBitsPerSecond: number | null = null;
  #isLinkMeasured = false;
  #pretence: DevicePretence | null = null;
  #link: ChannelLink | null = null;
  readonly #proofKey: Uint8Array | null;
  /** By what the host knows this device again after the digits were compared. */
  #compared: Uint8Array | null;
  readonly #kept: KeptSeat | null;
  #linking = false;
  readonly #relinking = new Relinking();
  #status: DeviceStatus = { kind: 'joining' };
  /** What it says of itself when nothing is in the way. */
  #standing: DeviceStatus = { kind: 'ready' };
  #holds: UnitRun | null = null;
  /** The link over which work comes. */
  #attached: ChannelLink | null = null;
  #paused = false;
  #over = false;

  readonly #standBy: StandBy;
  readonly #offers = new Emitter<Offer>();
  /** The role of host is offered; who listens takes it, or says that it does not. */
  readonly onOffer = this.#offers.on;
  readonly successor = new Emitter<Successor>();
  readonly onSuccessor = this.successor.on;

  constructor(
    environment: SessionEnvironment,
    invitation: InvitedTo,
    options: JoinOptions,
    known: KnownDevice | null = null,
  ) {
    this.#environment = environment;
    this.#options = options;
    this.#invitation = invitation;
    this.#proofKey = invitation.secret === null ? null : proofKeyOf(invitation.secret);
    this.#kept = takeSeat(environment.seats, invitation.room);
    const fresh = newIdentity(environment, options.name);
    const { id, key } = known ?? this.#kept ?? fresh;
    this.#identity = { ...fresh, id, key };
    this.#standBy = new StandBy({
      send: (message) => this.#client.send(message),
      held: () => this.#seats?.trainer.held ?? null,
      isLinked: () => this.#link !== null,
      knowsSecret: invitation.secret !== null,
      onOffer: (term, bequest) => {
        if (this.#seats !== null) this.#offers.emit(this.#offer(term, bequest, this.#seats));
      },
      onTable: (table) => this.#store.notice('news', givenSentence(table)),
    });
    this.#compared = this.#kept?.compared ?? null;
    this.#store = new ViewStore(options.watch ? 'watcher' : 'device', this.#identity.id);
    if (known?.news !== undefined) this.#store.notice('problem', known.news);
    const code = (): string => invitation.room;
    this.#client = new RoomClient(environment, () => this.#enter(), code);
    this.#client.onMessage((message) => this.#onMessage(message));
    this.#client.onIntroduction((introduction) => {
      this.#introduction = introduction;
      this.#address?.introduce(introduction);
    });
    this.#client.onState((server) => this.#store.dispatch({ type: 'server', server }));
    this.#offs.push(environment.onHidden((hidden) => this.#client.send({ type: 'hidden', hidden })));
    this.#offs.push(environment.onLeaving(() => this.#hangUp()));
    this.#offs.push(this.#relinking.watch(environment, () => [this.#address, this.#link, this.#neighbours]));
  }

  get view(): SessionView {
    return this.#store.view;
  }

  subscribe(listener: (view: SessionView) => void): () => void {
    return this.#store.subscribe(listener);
  }

  leave(): void {
    if (this.#over) return;
    this.#client.send({ type: 'leave' });
    this.#end(say.youLeftTheSession);
  }

  /** What it was given is still done; the next plan goes without it. */
  rest(paused: boolean): void {
    const { kind } = this.#status;
    if (this.#over || kind !== (paused ? 'ready' : 'paused')) return;
    this.#paused = paused;
    this.#setStatus(this.#able());
  }

  /** For trying fleets out: what this device is made out to be from now on. */
  async pretend(pretence: DevicePretence): Promise<void> {
    this.#pretence = pretence;
    await this.#seats?.pretend(pretence);
  }

  #able(): DeviceStatus {
    return this.#paused ? { kind: 'paused' } : this.#standing;
  }

  /** The tab goes away, perhaps only to be loaded again. */
  #hangUp(): void {
    const { id, key } = this.#identity;
    const claim = this.#claim;
    if (!this.#over && claim !== null)
      keepSeat(this.#environment.seats, { room: this.#invitation.room, id, key, claim, compared: this.#compared });
    this.leave();
  }

  get #claim(): string | null {
    return this.#client.claim ?? this.#kept?.claim ?? null;
  }

  /** Everything the server needs to seat this device, also when it has forgotten the room's devices. */
  #enter(): readonly ClientMessage[] {
    const { room } = this.#store.view;
    return joinEntry({
      ...{ device: this.#identity, invitation: this.#invitation, watch: this.#options.watch, claim: this.#claim },
      ...{ room, revival: this.#client.revival, status: this.#status, profile: this.#profile(), holds: this.#holds },
    });
  }

  #profile(): Profile | null {
    return profileOf(this.#measured, this.#linkBitsPerSecond, this.#pretence);
  }

  #onMessage(message: RoomMessage): void {
    const before = this.#store.view.room;
    this.#store.dispatch({ type: 'message', message });
    const { room } = this.#store.view;
    const sentence = hostNews(before, room, this.#store.view.follows);
    if (sentence !== null) this.#store.notice('news', sentence);
    // The other side has lost the server: silence on the link is believed sooner. Or it has given the link up, and that did not come here.
    this.#link?.doubt(isAway(room));
    if (isUnlinked(room, this.#identity.id)) this.#link?.ask();
    if (before !== null && room !== null && before.host !== room.host) this.#anotherHost();
    this.#standBy.hear(message);
    const { isAble } = this.#standBy;
    if (isAble !== this.#store.view.follows) this.#store.dispatch({ type: 'follows', follows: isAble });
    if (this.#store.view.ended !== null) this.#end(this.#store.view.ended);
    else if (message.type === 'room' && !this.#options.watch) {
      if (this.#seats === null) this.#begin(message.room);
      this.#seats?.roomChanged();
      this.#neighbours?.changed();
      this.#connect();
    }
  }

  /** Whoever was the host before has nothing more to say. */
  #anotherHost(): void {
    this.#link?.close(say.anotherDeviceLeadsTheSession);
    this.#relinking.forget();
    this.#isLinkMeasured = false;
  }

  #offer(term: number, bequest: Bequest, seats: DeviceSeats): Offer {
    const { view } = this.#store;
    const { name, slowdown } = this.#options;
    return {
      ...{ term, bequest, seats, view, invitation: this.#invitation },
      ...{ identity: this.#identity, options: { name, slowdown } },
      state: () => seats.trainer.model.api.held(),
      past: () => seats.trainer.model.api.heldPast(),
      decline: () => this.#client.send({ type: 'decline', term }),
      retire: () => {
        this.#seats = null;
        this.#end(say.thisDeviceLeadsTheSession);
      },
    };
  }

  #begin(room: RoomView): void {
    const seats = new DeviceSeats(this.#environment, {
      ...{ self: this.#identity.id, settings: room.settings },
      ...{ slowdown: this.#options.slowdown, pretence: this.#pretence },
      ...{ isHost: false, room: () => this.#store.view.room },
      onStatus: (status) => this.#setStatus(status),
      onMeasured: (measured) => {
        this.#measured = measured;
        void this.#report();
      },
      onFresh: ({ measured, linkBitsPerSecond }, best) => {
        [this.#measured, this.#linkBitsPerSecond] = [best, linkBitsPerSecond];
        const profile = profileOf(measured, linkBitsPerSecond, this.#pretence);
        if (profile !== null) this.#client.send({ type: 'profile', profile, again: true });
      },
      onHolds: (run) => {
        this.#holds = run;
        this.#client.send({ type: 'holds', run });
      },
      onStanding: (status) => {
        this.#standing = status;
        if (this.#attached !== null) this.#setStatus(this.#able());
      },
      onFailed: (sentence) => this.#setStatus({ kind: 'failed', sentence }),
      onNews: (sentence) => this.#store.notice('problem', sentence),
    });
    this.#seats = seats;
    const address = new PeerAddress(this.#environment, (incoming) => void this.#neighbours?.accept(incoming));
    this.#address = address;
    address.onAddress(() => {
      this.#connect();
      this.#neighbours?.changed();
    });
    this.#neighbours = new NeighbourLinks({
      self: this.#identity.id,
      stages: seats.stages,
      exchange: seats.exchange,
      room: () => this.#store.view.room,
      address,
      proofKey: this.#proofKey,
      randomBytes: this.#environment.randomBytes,
      onProblem: (sentence) => this.#store.notice('problem', sentence),
      onBeside: (beside) => this.#store.dispatch({ type: 'beside', beside }),
    });
    if (this.#introduction !== null) address.introduce(this.#introduction);
    seats.begin();
  }

  #setStatus(status: DeviceStatus): void {
    if (this.#over) return;
    this.#status = status;
    this.#store.dispatch({ type: 'status', status });
    this.#client.send({ type: 'status', status });
  }

  /** Opens the link to the host when both sides can be reached and there is none. */
  #connect(): void {
    const room = this.#store.view.room;
    const owner = room?.devices.find((device) => device.id === room.host);
    // A host that is away comes back under another address, if it does.
    const host = owner?.online ? owner.peerId : null;
    if (this.#over || this.#link !== null || this.#linking) return;
    if (room === null || host === null || this.#address === null || !this.#address.isOpen) return;
    if (!this.#relinking.mayTry(host)) return;
    this.#linking = true;
    this.#openLink(this.#address, room, host).then(
      (link) => {
        this.#linking = false;
        if (this.#over) return link.close();
        this.#link = link;
        this.#relinking.worked();
        this.#seats?.exchange.attach(room.host, link);
        this.#store.dispatch({ type: 'trouble', trouble: null });
        link.onClose((why) => {
          this.#link = null;
          this.#attached = null;
          if (this.#over) return;
          this.#store.dispatch({ type: 'proof', device: this.#identity.id, proof: null });
          this.#unlinked(say.theLinkToTheHost(why), why);
          if (isAway(this.#store.view.room)) this.#standBy.say();
          this.#relinking.later(() => this.#connect());
        });
        void this.#report();
      },
      (error: unknown) => {
        this.#linking = false;
        if (this.#over) return;
        this.#relinking.failed();
        this.#unlinked(say.tryingAgain(messageOf(error)), messageOf(error));
        this.#relinking.later(() => this.#connect());
      },
    );
  }

  #openLink(address: PeerAddress, room: RoomView, host: string): Promise<ChannelLink> {
    const device = this.#identity.id;
    return linkToHost(address, host, {
      ...{ room, device, secret: this.#proofKey, compared: this.#compared },
      randomBytes: this.#environment.randomBytes,
      tell: (proof) => this.#store.dispatch({ type: 'proof', device, proof }),
      onCompared: (key) => {
        this.#compared = key;
      },
      onSure: (message, answer) => this.#standBy.take(message, answer),
      onState: (state) => this.#store.dispatch({ type: 'link', device, state }),
    });
  }

  /** A passing state, not something to put away: the log has it, and the page says it for as long as it lasts. */
  #unlinked(sentence: string, trouble: string): void {
    this.#store.notice('news', sentence);
    this.#store.dispatch({ type: 'trouble', trouble });
  }

  /** Once model and link are there: measure the link, during which another host may give work already, and say that this device can train. */
  async #report(): Promise<void> {
    const [link, seats] = [this.#link, this.#seats];
    if (link === null || seats === null || this.#measured === null) return;
    if (this.#linkBitsPerSecond !== null) this.#attached = seats.attach(link, this.#linkBitsPerSecond);
    try {
      if (!this.#isLinkMeasured) this.#linkBitsPerSecond = await measureLink(link);
    } catch (error) {
      // Of a link that is down something was said already.
      if (!this.#over && this.#link === link) this.#store.notice('problem', messageOf(error));
      return link.close();
    }
    if (this.#over || this.#link !== link || this.#linkBitsPerSecond === null) return;
    this.#isLinkMeasured = true;
    this.#attached = seats.attach(link, this.#linkBitsPerSecond);
    const profile = this.#profile();
    if (profile !== null) this.#client.send({ type: 'profile', profile });
    this.#setStatus(this.#able());
  }

  #end(sentence: string): void {
    if (this.#over) return;
    this.#over = true;
    for (const off of this.#offs) off();
    this.#relinking.stop();
    this.#neighbours?.close();
    this.#seats?.close();
    this.#link?.close();
    this.#address?.close();
    this.#client.close();
    this.#store.dispatch({ type: 'ended', sentence });
  }
}
