import type { ToldStandings } from '../../../signaling/protocol/exchange/audit-messages.ts';
import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { FrameTensor } from '../../../signaling/protocol/exchange/frames.ts';
import type { Heritage } from '../../../signaling/protocol/exchange/heritage-messages.ts';
import type { OrderTag } from '../../../signaling/protocol/round.ts';
import type { Uploads } from '../../../signaling/protocol/settings.ts';
import type { LearnedState, StateUpdate } from '../../../worker/api/host-api.ts';
import type { HeldVersion } from '../held/keeping-up.ts';
import { KeptUp, stepMessage } from '../held/kept-up.ts';
import type { MessageLink } from '../links/message-link.ts';
import { Emitter } from '../world/emitter.ts';

interface Member {
  readonly link: MessageLink;
  /** Versions of the parameters that the device was last sent over this link, for each kind of work; -1 before the first. */
  readonly versions: Record<WorkHeader['type'], number>;
  /** The same of a stage's blocks, by version and run, whatever the work: the device keeps as many. The latest last. */
  blocks: readonly string[];
  /** What it holds of what the session has learned; null for the host's own device, which needs no copy. */
  readonly keptUp: KeptUp | null;
}

export type DeviceLinksEvent =
  | { readonly type: 'message'; readonly device: string; readonly message: DataMessage }
  | { readonly type: 'attached' | 'detached'; readonly device: string; readonly why: string };

type HeaderOf<T extends 'order' | 'evaluate' | 'stage-order' | 'stage-evaluate'> = Omit<
  DataMessage<T>['header'],
  'parameters'
>;
/** Of work that needs the parameters; whether they travel with it is for the links to know. */
export type WorkHeader = HeaderOf<'order'> | HeaderOf<'evaluate'>;

/** Of a stage's work; the parameters of its own blocks go with it. */
export type StageHeader = HeaderOf<'stage-order'> | HeaderOf<'stage-evaluate'>;
/** Short messages. */
type Told = DataMessage<'abandon' | 'compared' | 'rewire' | 'merged' | 'show'>['header'];

/** Parameters of a stage that a device keeps: rounds go on while those of an evaluation are still needed. */
export const KEPT_BLOCKS = 2;

export interface ParameterState {
  readonly version: number;
  readonly values: Float32Array;
  /** Of the whole state that they are of; absent where they are of none that rounds go on from. */
  readonly digest?: number | undefined;
}

/** The host's open links, by device, and which parameters each device already has. */
export class DeviceLinks {
  readonly #members = new Map<string, Member>();
  readonly #events = new Emitter<DeviceLinksEvent>();
  readonly onEvent = this.#events.on;

  has(device: string): boolean {
    return this.#members.has(device);
  }

  /** `keepsUp`: whether the device is to hold what the session has learned. */
  attach(device: string, link: MessageLink, keepsUp = true): void {
    // What was on its way over an earlier link is lost; whoever waits for it must hear so.
    this.detach(device);
    const keptUp = keepsUp ? new KeptUp(link) : null;
    this.#members.set(device, { link, versions: { order: -1, evaluate: -1 }, blocks: [], keptUp });
    link.onMessage((message) => {
      if (this.#members.get(device)?.link !== link) return;
      if (message.header.type === 'holds') keptUp?.says(message.header.state);
      else this.#events.emit({ type: 'message', device, message });
    });
    link.onClose((why) => {
      if (this.#members.get(device)?.link !== link) return;
      this.#members.delete(device);
      this.#events.emit({ type: 'detached', device, why });
    });
    this.#events.emit({ type: 'attached', device, why: '' });
  }

  detach(device: string): void {
    this.#members.get(device)?.link.close();
  }

  doubt(device: string, doubtful: boolean): void {
    this.#members.get(device)?.link.doubt(doubtful);
  }

  /** The way to all of them may be another one. */
  askAll(): void {
    for (const { link } of this.#members.values()) link.ask();
  }

  closeAll(): void {
    for (const device of [...this.#members.keys()]) this.detach(device);
  }

  /** Sends work, with the parameters where the device does not have them yet. False when the device has no link. */
  sendWork(device: string, parameters: ParameterState, header: WorkHeader, tensors: readonly FrameTensor[]): boolean {
    const member = this.#members.get(device);
    if (member === undefined) return false;
    const { versions } = member;
    // Devices keep the latest of both kinds: an evaluation may go on while rounds do.
    const sent = versions.order === parameters.version || versions.evaluate === parameters.version;
    const stale = !sent && !member.keptUp?.has(parameters.version, parameters.digest);
    if (stale) versions[header.type] = parameters.version;
    const all = stale ? [...tensors, parameters.values] : tensors;
    // Spread in each branch: a message of one type is a message, one of either type is not.
    const message: DataMessage =
      header.type === 'order'
        ? { header: { ...header, parameters: stale }, tensors: all }
        : { header: { ...header, parameters: stale }, tensors: all };
    void member.link.send(message);
    return true;
  }

  /** Sends a stage its work, with `blocks`, the parameters of its trained blocks, where it does not have them of this version yet. */
  sendStage(device: string, header: StageHeader, tensors: readonly FrameTensor[], blocks: Float32Array): boolean {
    const member = this.#members.get(device);
    if (member === undefined) return false;
    const which = `${header.version} ${header.stage.from} ${header.stage.to}`;
    const stale = !member.blocks.includes(which);
    if (stale) member.blocks = [...member.blocks, which].slice(-KEPT_BLOCKS);
    const all = stale ? [...tensors, blocks] : tensors;
    const message: DataMessage =
      header.type === 'stage-order'
        ? { header: { ...header, parameters: stale }, tensors: all }
        : { header: { ...header, parameters: stale }, tensors: all };
    void member.link.send(message);
    return true;
  }

  /** Hands on what one device says to another. Settles when the message is on its way, or the link is gone. */
  async forward(message: DataMessage<'hidden'>): Promise<void> {
    await this.#members.get(message.header.to)?.link.send(message);
  }

  /** The versions' numbers begin again from an earlier one, with other values. */
  forgetVersions(): void {
    for (const member of this.#members.values()) {
      Object.assign(member.versions, { order: -1, evaluate: -1 });
      member.blocks = [];
    }
  }

  /** What a stage is computed again with. */
  show(device: string, message: DataMessage<'stage-audit' | 'shown'>): void {
    void this.#members.get(device)?.link.send(message);
  }

  /** False when the device has no link. */
  sendAudit(device: string, header: DataMessage<'audit'>['header'], tensors: readonly FrameTensor[]): boolean {
    const link = this.#members.get(device)?.link;
    void link?.send({ header, tensors });
    return link !== undefined;
  }

  /** Whether a device holds what was learned, as it is now. */
  holds(device: string, { version, digest }: Pick<ParameterState, 'version' | 'digest'>): boolean {
    return this.#members.get(device)?.keptUp?.has(version, digest) === true;
  }

  /** Whether a device holds something that was learned, be it a step behind. */
  holdsSome(device: string): boolean {
    return (this.#members.get(device)?.keptUp?.held ?? null) !== null;
  }

  /** Whether one of these devices should be given the whole state before its next order. */
  lacks(devices: readonly string[], { version, digest }: Pick<ParameterState, 'version' | 'digest'>): boolean {
    return devices.some((device) => this.#lacks(device, version, digest));
  }

  /** Gives the whole state to those of the devices that do not hold it, nor a step less. */
  sendWhole(term: number, devices: readonly string[], state: LearnedState): void {
    for (const device of devices)
      if (this.#lacks(device, state.version, state.digest)) this.#members.get(device)?.keptUp?.sendWhole(term, state);
  }

  #lacks(device: string, version: number, digest: number | undefined): boolean {
    const keptUp = this.#members.get(device)?.keptUp ?? null;
    return keptUp?.mayHaveWhole === true && !keptUp.has(version, digest);
  }

  sendHeritage(device: string, header: Heritage, best: Float32Array, before: Float32Array): void {
    void this.#members.get(device)?.link.send({ header, tensors: [best, before] });
  }

  /** Of what there is besides the learned state, to a device that may lead. */
  sendLeft(device: string, header: ToldStandings | DataMessage<'report'>['header']): void {
    if (header.type === 'report') void this.#members.get(device)?.link.send({ header, tensors: [] });
    else void this.#members.get(device)?.link.send({ header, tensors: [] });
  }

  /** A piece of a table that the host's person gave to this device. */
  sendPiece(device: string, header: DataMessage<'table-piece'>['header'], bytes: Uint8Array): void {
    void this.#members.get(device)?.link.send({ header, tensors: [bytes] });
  }

  /** The optimiser has taken a step from `before`: everybody who holds that is told; null where the round was skipped, which changes nothing else. */
  sendStep(term: number, before: HeldVersion, update: StateUpdate | null, uploads: Uploads = 'f32'): void {
    const message = stepMessage(term, before, update, uploads);
    for (const { keptUp } of this.#members.values()) keptUp?.sendStep(before, message);
  }

  abandon(device: string, tag: OrderTag): void {
    this.tell(device, { type: 'abandon', tag });
  }

  /** A short message, lost where the device has no link. */
  tell(device: string, header: Told): void {
    const link = this.#members.get(device)?.link;
    // Each branch has a message of one type.
    if (header.type === 'abandon') void link?.send({ header, tensors: [] });
    else if (header.type === 'rewire') void link?.send({ header, tensors: [] });
    else if (header.type === 'show') void link?.send({ header, tensors: [] });
    else if (header.type === 'merged') void link?.send({ header, tensors: [] });
    else void link?.send({ header, tensors: [] });
  }
}
