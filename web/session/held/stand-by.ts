import type { ToldStandings } from '../../../signaling/protocol/exchange/audit-messages.ts';
import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { Heritage } from '../../../signaling/protocol/exchange/heritage-messages.ts';
import type { ClientMessage } from '../../../signaling/protocol/messages.ts';
import type { RoundReport } from '../../../signaling/protocol/room-view.ts';
import type { OwnTaskRequest } from '../../../worker/api/tables.ts';
import type { RoomMessage } from '../links/room-client.ts';
import type { HeldVersion } from './keeping-up.ts';
import { withLeft } from './left-reports.ts';
import { type Ask, TableComing } from './table-coming.ts';

/** What a host leaves to a device. */
export interface Bequest {
  readonly heritage: Heritage;
  /** The best adapter's flat parameters; null before the first score. */
  readonly best: Float32Array | null;
  /** The parameters that the session began from; null where its seed drew them. */
  readonly before: Float32Array | null;
  /** What the host said last of the devices' honesty; null for nothing. */
  readonly standings: ToldStandings | null;
  /** Of the last rounds, as the host told them; without what each device did. */
  readonly reports: readonly RoundReport[];
  /** The host's own table, which its person gave to this device; null for a public task. */
  readonly table: OwnTaskRequest | null;
}

export interface StandByContext {
  readonly send: (message: ClientMessage) => void;
  /** Of the learned state. */
  readonly held: () => HeldVersion | null;
  readonly isLinked: () => boolean;
  /** Whether this device knows the session's secret: only then can it invite others, and be sure of them. */
  readonly knowsSecret: boolean;
  /** The role is offered, and this device has all that it takes. */
  readonly onOffer: (term: number, bequest: Bequest) => void;
  /** The whole of the host's own table is here. */
  readonly onTable: (table: OwnTaskRequest) => void;
}

/** A device stands by to be host: it keeps what the host leaves, says what it holds when the host is gone, and hears offers. */
export class StandBy {
  readonly #context: StandByContext;
  readonly #table = new TableComing();
  #bequest: Omit<Bequest, 'table' | 'standings' | 'reports'> | null = null;
  #standings: ToldStandings | null = null;
  #reports: readonly RoundReport[] = [];

  constructor(context: StandByContext) {
    this.#context = context;
  }

  /** From the host over a link that both ends proved; `ask` says something to it. */
  take({ header, tensors }: DataMessage, ask: Ask): void {
    if (header.type === 'table-piece') {
      const isWhole = this.#table.take({ header, tensors }, ask);
      if (isWhole && this.#table.own !== null) this.#context.onTable(this.#table.own);
    }
    if (header.type === 'standings') this.#standings = header;
    if (header.type === 'report') this.#reports = withLeft(this.#reports, header.report);
    if (header.type !== 'heritage') return;
    const [best, before] = tensors;
    this.#bequest = {
      heritage: header,
      best: header.best !== null && best instanceof Float32Array ? best : null,
      before: header.begun && before instanceof Float32Array ? before : null,
    };
    if (header.table !== null) this.#table.expect(header.table, ask);
  }

  hear(message: RoomMessage): void {
    if (message.type === 'hostless') this.say();
    if (message.type !== 'offer') return;
    const bequest = this.#able();
    if (bequest === null) this.#context.send({ type: 'decline', term: message.term });
    else this.#context.onOffer(message.term, bequest);
  }

  /** What this device holds, and whether it is linked: to be called when that changes while the host is away. */
  say(): void {
    const { send, held, isLinked } = this.#context;
    const round = held()?.version ?? 0;
    const term = this.#bequest?.heritage.term ?? 1;
    send({ type: 'holding', term, round, able: this.isAble, linked: isLinked() });
  }

  /** Whether this device has all that it takes to be host. */
  get isAble(): boolean {
    return this.#able() !== null;
  }

  #able(): Bequest | null {
    const { knowsSecret, held } = this.#context;
    if (!knowsSecret || held() === null || this.#bequest === null) return null;
    // Of an earlier host it says nothing of what was given to this one's rounds.
    const isOfHost = this.#standings?.term === this.#bequest.heritage.term;
    const bequest = { ...this.#bequest, standings: isOfHost ? this.#standings : null, reports: this.#reports };
    const { own } = this.#table;
    if (bequest.heritage.table === null) return { ...bequest, table: null };
    return own && { ...bequest, table: own };
  }
}
