import { CLEAR, type Conditions } from '../relay/conditions.ts';
import type { Actor } from './actors.ts';
import type { ChaosRoom } from './chaos-room.ts';
import type { Act } from './messages.ts';
import type { Planned } from './schedule.ts';

export interface Strike {
  readonly planned: Planned;
  /** Who has come to the phase, and is held there. */
  readonly holder: Actor;
}

export interface Strucken {
  readonly sentence: string;
  /** What becomes of the call at which the holder is; null for nothing. */
  readonly act: Act | null;
}

/** The faults themselves, each done to real processes. */
export class Strikes {
  readonly #room: ChaosRoom;
  readonly #log: (line: string) => void;
  /** Whose end was asked for, and what comes in its place. */
  readonly #ending = new Map<Actor, 'replaced' | 'returns'>();

  constructor(room: ChaosRoom, log: (line: string) => void) {
    this.#room = room;
    this.#log = log;
  }

  get hasLiar(): boolean {
    return this.#room.living.some(({ isLiar }) => isLiar);
  }

  /** Why a process ended; null where nobody asked for it. */
  endOf(member: Actor): 'replaced' | 'returns' | null {
    if (member.isLiar) return 'replaced';
    return this.#ending.get(member) ?? null;
  }

  /** Null where nobody is there whom it could meet. */
  async strike({ planned, holder }: Strike): Promise<Strucken | null> {
    const { manner, phase } = planned;
    const { host } = this.#room;
    const device = this.#device(planned, holder);
    // Of a liar that is gone before it is found, what nobody checked is believed.
    if (device?.isLiar === true && (manner.kind === 'kill' || manner.kind === 'liar')) return null;
    switch (manner.kind) {
      case 'kill': {
        if (device === null) return null;
        await this.#kill(device, 'replaced');
        return nothing(`${device.name} was killed`);
      }
      case 'host': {
        if (host === null) return null;
        await this.#kill(host, manner.returns ? 'returns' : 'replaced');
        return nothing(`${host.name}, the host, was killed${manner.returns ? ' and comes back' : ''}`);
      }
      case 'stop': {
        const one = manner.ofHost ? host : device;
        if (one === null) return null;
        one.stop();
        setTimeout(() => one.goOn(), 1000 * manner.seconds);
        return nothing(`${one.name}${one === host ? ', the host,' : ''} was stopped for ${manner.seconds} s`);
      }
      case 'server': {
        await this.#room.server.kill();
        setTimeout(() => void this.#startServer(), 1000 * manner.seconds);
        return nothing(`the server was killed, and started again after ${manner.seconds} s`);
      }
      case 'liar': {
        if (device === null) return null;
        device.isLiar = true;
        device.tell({ do: 'lie', lie: manner.lie });
        return nothing(`${device.name} lies from now on: ${manner.lie}`);
      }
      case 'staller': {
        const act: Act = { act: 'stall', seconds: manner.seconds };
        return this.#toDevice(device, holder, act, `takes ${manner.seconds} s for its next call`);
      }
      case 'memory': {
        const act: Act = { act: 'refuse', times: manner.times };
        const ofHost = phase === 'checkpoint' || phase === 'export';
        return this.#toDevice(ofHost ? holder : device, holder, act, `is refused memory ${manner.times} times`);
      }
      case 'cut':
        return this.#worsen(device, manner.seconds, { cut: true }, 'cut');
      case 'delay':
        return this.#worsen(
          device,
          manner.seconds,
          { delayMs: manner.ms, jitterMs: manner.ms / 5 },
          `${manner.ms} ms longer`,
        );
      case 'loss':
        return this.#worsen(
          device,
          manner.seconds,
          { loss: manner.share },
          `such that ${Math.round(100 * manner.share)} % is lost`,
        );
    }
  }

  /** The way between a device and the host, for so long. */
  #worsen(device: Actor | null, seconds: number, change: Partial<Conditions>, words: string): Strucken | null {
    const { host, network } = this.#room;
    if (device === null || host === null) return null;
    network.set(change, device.name, host.name);
    setTimeout(() => network.set(CLEAR, device.name, host.name), 1000 * seconds);
    return nothing(`the link of ${device.name} to ${host.name} was ${words} for ${seconds} s`);
  }

  #toDevice(device: Actor | null, holder: Actor, act: Act, words: string): Strucken | null {
    if (device === null) return null;
    const sentence = `${device.name} ${words}`;
    if (device === holder) return { sentence, act };
    device.tell({ do: 'act', act });
    return nothing(sentence);
  }

  /** Who is held, where that is a device; otherwise one that is drawn. */
  #device({ victim }: Planned, holder: Actor): Actor | null {
    const { host, victims: devices } = this.#room;
    if (holder !== host) return holder;
    return devices[Math.floor(victim * devices.length)] ?? null;
  }

  /** Its person closes it, and opens it again. */
  replace(member: Actor): Promise<void> {
    return this.#kill(member, 'replaced');
  }

  async #kill(member: Actor, then: 'replaced' | 'returns'): Promise<void> {
    this.#ending.set(member, then);
    await member.kill();
  }

  async #startServer(): Promise<void> {
    await this.#room.server.start();
    this.#log('the server is there again');
  }
}

const nothing = (sentence: string): Strucken => ({ sentence, act: null });
