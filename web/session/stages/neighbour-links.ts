import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { isModelMessage } from '../../../signaling/protocol/exchange/model-messages.ts';
import type { RoomView } from '../../../signaling/protocol/room-view.ts';
import * as say from '../../words/session/stages.ts';
import { chunkPartners } from '../chunks/chunk-partners.ts';
import type { ModelExchange } from '../chunks/model-exchange.ts';
import type { ChannelLink } from '../links/channel-link.ts';
import { openLink } from '../links/open-link.ts';
import type { OpenConnection } from '../links/peer-connection.ts';
import type { Incoming, PeerAddress } from '../links/peer-links.ts';
import type { LinkEnd } from '../links/proof.ts';
import { tensorSizes } from '../links/tensor-sizes.ts';
import type { Beside as BesideView } from '../view/view.ts';
import { Allowance, type Rate } from '../world/allowance.ts';
import { Emitter } from '../world/emitter.ts';
import { type Beside, besideInPlan, type Side, wantedLinks } from './cuts/neighbours.ts';
import type { DirectLinks, StageSeat } from './stage-seat.ts';

/** A neighbour may call before this device was told that it is one. */
const EXPECTED_MS = 10_000;
/** Before a link is tried again; twice as long after each try that comes to nothing, or ends early. */
const RELINK_MS = 1500;
const MAX_RELINK_MS = 60_000;
/** Links that others may be opening to this device at once. */
const MAX_OPENING = 4;
/** Links that all others together may ask for. */
const CALL_RATE: Rate = { burst: 20, perSecond: 1 };
/** A link that lasted so long was no failure. */
const LASTING_MS = 30_000;

export interface NeighbourContext {
  readonly self: string;
  readonly stages: StageSeat;
  readonly exchange: Pick<ModelExchange, 'attach'>;
  readonly room: () => RoomView | null;
  readonly address: Pick<PeerAddress, 'connect' | 'isOpen'>;
  /** Of the session's secret; without one nothing shows that nobody sits between, and the host passes everything on. */
  readonly proofKey: Uint8Array | null;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly onProblem: (sentence: string) => void;
  /** Whom this device is linked with, and what went between them, is something else now. */
  readonly onBeside: (beside: readonly BesideView[]) => void;
}

/**
 * A device's links to those that the plan, or a round under way, puts beside it: opened and closed as that changes, with the same proof as the
 * link to the host. Of two devices the one nearer to the embeddings opens the link. Until they have met, and where they cannot, the host passes on
 * what they say.
 */
export class NeighbourLinks implements DirectLinks {
  readonly #context: NeighbourContext;
  readonly #links = new Map<string, ChannelLink>();
  readonly #opening = new Set<string>();
  /** Tries in a row that came to nothing, and when the next one may be. */
  readonly #failures = new Map<string, { readonly count: number; readonly nextMs: number }>();
  readonly #changed = new Emitter<void>();
  readonly #calls = new Allowance(CALL_RATE, performance.now());
  #incoming = 0;
  #beside: readonly Beside[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #over = false;

  constructor(context: NeighbourContext) {
    this.#context = context;
    context.stages.direct = this;
    context.stages.onDone(() => this.#tell());
    context.stages.onBeside((beside) => {
      this.#beside = beside;
      this.changed();
    });
  }

  /** The plan or the devices' addresses may be others. */
  changed(): void {
    if (this.#over) return;
    const wanted = this.#wanted();
    for (const [device, link] of this.#links) if (!wanted.has(device)) link.close();
    for (const device of this.#failures.keys()) if (!wanted.has(device)) this.#failures.delete(device);
    for (const [device, side] of wanted) if (side === 'above') this.#open(device);
    for (const { id, online } of this.#context.room()?.devices ?? []) this.#links.get(id)?.doubt(!online);
    this.#changed.emit();
  }

  /** Takes a call of a device that is beside this one, or soon is; refuses any other. */
  async accept(incoming: Incoming): Promise<void> {
    const isExpectable = !this.#over && this.#mayLink && this.#incoming < MAX_OPENING;
    if (!isExpectable || !this.#calls.spend(performance.now())) {
      incoming.refuse();
      return;
    }
    this.#incoming++;
    try {
      const [connection, device] = await Promise.all([incoming.open(), this.#expected(incoming.peerId)]);
      if (device === null || this.#over) connection.close();
      else await this.#link(connection, device, 'host');
    } catch {
      // The other side tries again, and is told why it came to nothing.
    } finally {
      this.#incoming--;
    }
  }

  send(message: DataMessage<'hidden'>): Promise<void> | null {
    return this.#links.get(message.header.to)?.send(message) ?? null;
  }

  lose(device: string, sentence: string): void {
    const link = this.#links.get(device);
    if (link === undefined) return;
    this.#context.onProblem(sentence);
    link.close(sentence);
  }

  /** Devices with a link. */
  get linked(): readonly string[] {
    return [...this.#links.keys()];
  }

  #tell(): void {
    const { stages, room, onBeside } = this.#context;
    const host = room()?.host;
    if (this.#over) return;
    onBeside(
      [...stages.traffic.pairs].map(([device, pair]) => ({
        device,
        isLinked: device === host || this.#links.has(device),
        ...pair,
      })),
    );
  }

  /** The way to them may be another one. */
  ask(): void {
    for (const link of this.#links.values()) link.ask();
  }

  close(): void {
    this.#over = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const link of [...this.#links.values()]) link.close();
    this.#changed.emit();
  }

  /** Rooms that may split the model, and those whose devices give each other its files. */
  get #mayLink(): boolean {
    const room = this.#context.room();
    const policy = room?.settings.policy;
    return policy === 'split' || policy === 'auto' || (room !== null && isGiven(room));
  }

  #wanted(): ReadonlyMap<string, Side> {
    const { room, self, proofKey } = this.#context;
    const view = room();
    if (view === null || proofKey === null) return new Map();
    const { above, below } = isGiven(view) ? chunkPartners(view, self) : { above: null, below: [] };
    const partners = [{ above, below: null }, ...below.map((device) => ({ above: null, below: device }))];
    // On which side a device is in the plan, the other knows, too.
    const beside = [...partners, besideInPlan(view.plan, self), ...this.#beside];
    return wantedLinks(beside, { self, host: view.host });
  }

  #open(device: string): void {
    const { room, address } = this.#context;
    const view = room()?.devices.find(({ id }) => id === device);
    if (view?.peerId == null || !view.online || !address.isOpen) return;
    if (this.#links.has(device) || this.#opening.has(device)) return;
    const waitMs = (this.#failures.get(device)?.nextMs ?? 0) - performance.now();
    if (waitMs > 0) {
      this.#later(waitMs);
      return;
    }
    this.#opening.add(device);
    address
      .connect(view.peerId)
      .then((connection) => this.#link(connection, device, 'device'))
      .catch(() => this.#failed(device))
      .finally(() => {
        this.#opening.delete(device);
        this.changed();
      });
  }

  #later(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.changed(), ms);
  }

  #failed(device: string): void {
    const count = (this.#failures.get(device)?.count ?? 0) + 1;
    const waitMs = Math.min(MAX_RELINK_MS, RELINK_MS * 2 ** (count - 1));
    this.#failures.set(device, { count, nextMs: performance.now() + waitMs });
  }

  /** In the proof the one who is called has the host's part. */
  async #link(connection: OpenConnection, device: string, own: LinkEnd): Promise<void> {
    const { self, room, stages, exchange, proofKey, randomBytes } = this.#context;
    const view = room();
    if (view === null || proofKey === null) return connection.close();
    const [host, caller] = own === 'host' ? [self, device] : [device, self];
    const { link } = await openLink(
      connection,
      tensorSizes(view.settings),
      { own, room: view.id, host, device: caller, keys: { secret: proofKey }, expected: true },
      randomBytes,
    );
    if (this.#over || !this.#wanted().has(device)) return link.close();
    this.#links.get(device)?.close(say.anotherLinkTookItsPlace);
    this.#links.set(device, link);
    exchange.attach(device, link);
    this.#tell();
    const sinceMs = performance.now();
    link.onMessage(({ header, tensors }) => {
      if (this.#links.get(device) !== link) return;
      if (header.type === 'hidden') stages.receive({ header, tensors }, device);
      else if (!isModelMessage(header.type) || header.type === 'model-hashes' || header.type === 'model-fetched')
        this.lose(device, say.aNeighbouringStageSaidWhat);
    });
    link.onClose(() => {
      if (this.#links.get(device) !== link) return;
      this.#links.delete(device);
      if (this.#over) return;
      if (performance.now() - sinceMs < LASTING_MS) this.#failed(device);
      else this.#failures.delete(device);
      // What was on its way is lost: it goes again by way of the host.
      stages.again(device);
      this.changed();
    });
    this.changed();
  }

  /** The device at this address, once it is beside this one; null where it is not in time. */
  #expected(peerId: string): Promise<string | null> {
    const find = (): string | null => {
      const device = this.#context.room()?.devices.find((one) => one.peerId === peerId)?.id;
      return device !== undefined && this.#wanted().get(device) === 'below' ? device : null;
    };
    const known = find();
    if (known !== null) return Promise.resolve(known);
    return new Promise((resolve) => {
      const settle = (device: string | null): void => {
        clearTimeout(timer);
        off();
        resolve(device);
      };
      const timer = setTimeout(() => settle(null), EXPECTED_MS);
      const off = this.#changed.on(() => {
        const device = find();
        if (device !== null || this.#over) settle(device);
      });
    });
  }
}

/** Whether devices give each other the model's files: of what comes with the page, everybody has its own. */
const isGiven = ({ settings }: RoomView): boolean => settings.model.kind === 'hub';
