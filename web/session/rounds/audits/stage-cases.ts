import type { AuditTag } from '../../../../signaling/protocol/exchange/audit-tag.ts';
import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';
import { isPacked } from '../../../../signaling/protocol/exchange/hidden-codec.ts';
import type { SessionSettings } from '../../../../signaling/protocol/settings.ts';
import { microBatchSizes } from '../../../../signaling/protocol/split.ts';
import { cutBySizes, valuesAt } from '../../stages/stage-round.ts';
import type { DeviceLinks } from '../device-links.ts';
import { type Order, tagOf } from '../round.ts';
import type { OrderInput } from '../run-round.ts';
import { CUTS, type SettledStage } from '../split/cross-check.ts';
import { neighbourOf, stageOf } from '../split/places.ts';
import { sendStageAudit } from '../split/stage-orders.ts';
import type { Audit } from './audit-state.ts';
import type { Made, MadePart } from './compare.ts';
import { ShownCut } from './shown-cut.ts';

export interface StageCasesContext {
  readonly term: number;
  readonly settings: SessionSettings;
  readonly deviceLinks: DeviceLinks;
  /** What the stage sent is here. */
  readonly onShown: (audit: number, parts: Made['parts']) => void;
  /** What it was sent, or sent itself, is not to be had: its neighbours went, or do not show what they had said that it was. */
  readonly onUnshown: (audit: number) => void;
  /** A neighbour does not show what it had said that went over its cut, though it is there. */
  readonly onWithheld: (device: string, round: number) => void;
  readonly onAnswer: (audit: number, device: string, made: Made) => void;
}

type Cut = (typeof CUTS)[number];

/** One cut and way: who shows it, and what came of it. */
interface Source {
  readonly cut: Cut;
  readonly from: Order;
  readonly digest: string;
  readonly shown: ShownCut;
  state: 'asked' | 'there' | 'missing';
}

interface Case {
  readonly audit: Audit;
  readonly order: Order;
  readonly input: OrderInput;
  readonly sources: readonly Source[];
  readonly lengths: Readonly<Record<'below' | 'above', readonly number[]>>;
  readonly untilMs: number;
  /** Devices that compute the stage again, with what they made of it so far; and whole answers that wait for what the stage itself sent. */
  readonly auditors: Map<
    string,
    { readonly up: ShownCut; readonly down: ShownCut; isSent: boolean; made: Made | null }
  >;
  isShown: boolean;
}

/**
 * Stages that are computed again: what such a stage was sent, and what it sent, is shown by its neighbours, who had said the same of it as the
 * stage itself. What does not have the digest that both had said is not it.
 */
export class StageCases {
  readonly #context: StageCasesContext;
  readonly #cases = new Map<number, Case>();

  constructor(context: StageCasesContext) {
    this.#context = context;
  }

  has(audit: number): boolean {
    return this.#cases.has(audit);
  }

  /** Before the round's stages let go of what they keep. */
  open(audit: Audit, settled: SettledStage, stages: readonly SettledStage[], input: OrderInput, untilMs: number): void {
    const { order, cuts } = settled;
    const { shape } = this.#context.settings;
    const stage = stageOf(order);
    const places = stages.map((one) => one.order);
    const { start, count } = order.samples;
    const sizes = microBatchSizes(count, stage.microBatches);
    const cut = cutBySizes(input.batch.lengths.subarray(start, start + count), sizes);
    const lengths = { below: valuesAt(stage.from, shape, cut), above: valuesAt(stage.to, shape, cut) };
    const sources = CUTS.flatMap((one): Source[] => {
      const from = neighbourOf(places, order, one.side);
      const digest = cuts?.[one.of] ?? null;
      if (from === null || digest === null) return [];
      return [{ cut: one, from, digest, shown: new ShownCut(lengths[one.side]), state: 'asked' }];
    });
    const opened: Case = { audit, order, input, sources, lengths, untilMs, auditors: new Map(), isShown: false };
    this.#cases.set(audit.number, opened);
    for (const {
      cut: { side, direction },
      from,
    } of sources)
      this.#context.deviceLinks.tell(from.device, {
        type: 'show',
        tag: tagOf({ term: this.#context.term, round: audit.round }, from),
        side: side === 'below' ? 'above' : 'below',
        direction,
      });
    this.#look(opened);
  }

  /** Gives it to a device, as soon as its input is here. */
  ask(audit: number, device: string): void {
    const asked = this.#cases.get(audit);
    if (asked === undefined) return;
    const { lengths } = asked;
    const up = new ShownCut(lengths.above);
    const down = new ShownCut(lengths.below);
    asked.auditors.set(device, { up, down, isSent: false, made: null });
    this.#look(asked);
  }

  close(audit: number): void {
    this.#cases.delete(audit);
  }

  heard(device: string, { header, tensors }: DataMessage<'shown'>): void {
    const [tensor] = tensors;
    const { tag, direction, microBatch, scale } = header;
    if (!isPacked(tensor) || tag.term !== this.#context.term) return;
    const values = { microBatch, scale, tensor };
    if ('audit' in tag) {
      this.#cases.get(tag.audit)?.auditors.get(device)?.[direction].take(values);
      return;
    }
    const side = header.side === 'below' ? 'above' : 'below';
    for (const one of [...this.#cases.values()]) {
      const source = one.sources.find(
        ({ cut, from, state }) =>
          state === 'asked' &&
          from.device === device &&
          from.number === tag.order &&
          from.epoch === tag.epoch &&
          one.audit.round === tag.round &&
          cut.side === side &&
          cut.direction === direction,
      );
      if (source === undefined) continue;
      source.shown.take(values);
      if (!source.shown.isWhole) continue;
      const isIt = source.shown.digest() === source.digest;
      source.state = isIt ? 'there' : 'missing';
      if (!isIt) this.#context.onWithheld(device, one.audit.round);
      this.#look(one);
    }
  }

  /** A device's answer to an audit is whole with this. */
  answered(tag: AuditTag, device: string, made: Made): void {
    const asked = this.#cases.get(tag.audit);
    const auditor = asked?.auditors.get(device);
    if (asked === undefined || auditor === undefined) return;
    const parts = new Map<MadePart, Float32Array>(made.parts);
    if (auditor.up.isWhole) parts.set('up', auditor.up.joined());
    if (auditor.down.isWhole) parts.set('down', auditor.down.joined());
    auditor.made = { ...made, parts };
    this.#look(asked);
  }

  gone(device: string): void {
    this.#giveUp(({ from }) => from.device === device);
  }

  tick(atMs: number): void {
    this.#giveUp(
      (_, { untilMs }) => untilMs <= atMs,
      ({ from }, { audit }) => this.#context.onWithheld(from.device, audit.round),
    );
  }

  #giveUp(
    isOver: (source: Source, of: Case) => boolean,
    told: (source: Source, of: Case) => void = () => undefined,
  ): void {
    for (const one of [...this.#cases.values()]) {
      for (const source of one.sources)
        if (source.state === 'asked' && isOver(source, one)) {
          source.state = 'missing';
          told(source, one);
        }
      this.#look(one);
    }
  }

  #look(one: Case): void {
    const { audit, sources, auditors } = one;
    const { onShown, onUnshown, onAnswer } = this.#context;
    if (sources.some(({ state }) => state === 'missing')) {
      onUnshown(audit.number);
      return;
    }
    const inputs = sources.filter(({ cut }) => cut.isInput);
    if (inputs.every(({ state }) => state === 'there'))
      for (const [device, auditor] of auditors) {
        if (auditor.isSent) continue;
        auditor.isSent = true;
        this.#send(one, device, inputs);
      }
    if (sources.some(({ state }) => state === 'asked')) return;
    if (!one.isShown) {
      one.isShown = true;
      const outputs = sources.filter(({ cut }) => !cut.isInput);
      onShown(audit.number, new Map(outputs.map(({ cut, shown }) => [cut.direction, shown.joined()])));
    }
    for (const [device, auditor] of auditors) {
      const { made } = auditor;
      if (made === null) continue;
      auditor.made = null;
      onAnswer(audit.number, device, made);
    }
  }

  #send({ audit, order, input }: Case, device: string, inputs: readonly Source[]): void {
    const { deviceLinks, term, settings } = this.#context;
    const tag = { term, audit: audit.number };
    sendStageAudit(input, audit.round, tag, order, device);
    const codec = settings.hiddenStates ?? 'f32';
    for (const {
      cut: { side, direction },
      shown,
    } of inputs)
      for (const { microBatch, scale, tensor } of shown.all)
        deviceLinks.show(device, {
          header: { type: 'shown', tag, side, direction, microBatch, codec, scale },
          tensors: [tensor],
        });
  }
}
