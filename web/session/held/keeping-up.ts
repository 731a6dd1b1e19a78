import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { decodeUpload } from '../../../signaling/protocol/exchange/upload-codec.ts';
import type { DeviceWorkerApi } from '../../../worker/api/device-api.ts';

export type StateMessage = DataMessage<'state'> | DataMessage<'update'>;
type Whole = Omit<DataMessage<'state'>['header'], 'type' | 'vector'>;
type Vector = DataMessage<'state'>['header']['vector'];

/** Which state a device holds. */
export interface HeldVersion {
  readonly version: number;
  readonly digest: number;
}

/**
 * A device's copy of what its session has learned: the whole once, then each round's step, which the device takes itself. Where its bits are
 * not the host's it lets go, and is given the whole again.
 */
export class KeepingUp {
  readonly #worker: Pick<DeviceWorkerApi, 'hold' | 'advance'>;
  #held: HeldVersion | null = null;
  #coming: Whole | null = null;
  readonly #vectors = new Map<Vector, Float32Array>();

  constructor(worker: Pick<DeviceWorkerApi, 'hold' | 'advance'>) {
    this.#worker = worker;
  }

  get held(): HeldVersion | null {
    return this.#held;
  }

  letGo(): void {
    this.#held = null;
    this.#coming = null;
    this.#vectors.clear();
  }

  /** False when the device held a state and has let go of it, or could not take one that came. */
  async take({ header, tensors }: StateMessage): Promise<boolean> {
    if (header.type === 'update') return this.#step(header, decodeUpload(tensors));
    const [values] = tensors;
    return values instanceof Float32Array ? this.#whole(header, values) : true;
  }

  async #whole({ type: _, vector, ...whole }: DataMessage<'state'>['header'], values: Float32Array): Promise<boolean> {
    if (JSON.stringify(this.#coming) !== JSON.stringify(whole)) this.letGo();
    this.#coming = whole;
    this.#vectors.set(vector, values);
    const parameters = this.#vectors.get('parameters');
    const firstMoment = this.#vectors.get('first-moment');
    const secondMoment = this.#vectors.get('second-moment');
    if (parameters === undefined || firstMoment === undefined || secondMoment === undefined) return true;
    this.letGo();
    const { version, steps, digest } = whole;
    const found = await this.#worker.hold({ version, steps, digest, values: parameters, firstMoment, secondMoment });
    return this.#compare(version, found, digest);
  }

  async #step(header: DataMessage<'update'>['header'], gradient: Float32Array): Promise<boolean> {
    const { version, learningRate, digest } = header;
    // Nothing to take it on, or taken already.
    if (this.#held === null || version <= this.#held.version) return true;
    if (version !== this.#held.version + 1) {
      this.letGo();
      return false;
    }
    const found = await this.#worker.advance(gradient.length === 0 ? null : { gradient, learningRate });
    return this.#compare(version, found, digest);
  }

  #compare(version: number, found: number, digest: number): boolean {
    this.#held = found === digest ? { version, digest } : null;
    return this.#held !== null;
  }
}
