import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { FrameTensor } from '../../../signaling/protocol/exchange/frames.ts';
import type { OrderTag } from '../../../signaling/protocol/round.ts';
import type { MessageLink } from '../links/message-link.ts';
import { Emitter } from '../world/emitter.ts';

interface Member {
  readonly link: MessageLink;
  /** Versions of the parameters that the device was last sent over this link, for each kind of work; -1 before the first. */
  readonly versions: Record<WorkHeader['type'], number>;
}

export type DeviceLinksEvent =
  | { readonly type: 'message'; readonly device: string; readonly message: DataMessage }
  | { readonly type: 'attached' | 'detached'; readonly device: string; readonly why: string };

type HeaderOf<T extends 'order' | 'evaluate'> = Omit<DataMessage<T>['header'], 'parameters'>;
/** Of work that needs the parameters; whether they travel with it is for the links to know. */
export type WorkHeader = HeaderOf<'order'> | HeaderOf<'evaluate'>;

export interface ParameterState {
  readonly version: number;
  readonly values: Float32Array;
}

/** The host's open links, by device, and which parameters each device already has. */
export class DeviceLinks {
  readonly #members = new Map<string, Member>();
  readonly #events = new Emitter<DeviceLinksEvent>();
  readonly onEvent = this.#events.on;

  has(device: string): boolean {
    return this.#members.has(device);
  }

  attach(device: string, link: MessageLink): void {
    // What was on its way over an earlier link is lost; whoever waits for it must hear so.
    this.detach(device);
    this.#members.set(device, { link, versions: { order: -1, evaluate: -1 } });
    link.onMessage((message) => {
      if (this.#members.get(device)?.link === link) this.#events.emit({ type: 'message', device, message });
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

  closeAll(): void {
    for (const device of [...this.#members.keys()]) this.detach(device);
  }

  /** Sends work, with the parameters where the device does not have them yet. False when the device has no link. */
  sendWork(device: string, parameters: ParameterState, header: WorkHeader, tensors: readonly FrameTensor[]): boolean {
    const member = this.#members.get(device);
    if (member === undefined) return false;
    const { versions } = member;
    // Devices keep the latest of both kinds: an evaluation may go on while rounds do.
    const stale = versions.order !== parameters.version && versions.evaluate !== parameters.version;
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

  abandon(device: string, tag: OrderTag): void {
    this.tell(device, { type: 'abandon', tag });
  }

  /** A short message, lost where the device has no link. */
  tell(device: string, header: DataMessage<'abandon'>['header'] | DataMessage<'compared'>['header']): void {
    const link = this.#members.get(device)?.link;
    if (header.type === 'abandon') void link?.send({ header, tensors: [] });
    else void link?.send({ header, tensors: [] });
  }
}
