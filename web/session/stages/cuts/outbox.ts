import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';

type Hidden = DataMessage<'hidden'>;

/** Messages to one device that are handed to its link at once; a link ends where too many wait on it, and a round may have thousands. */
const AT_ONCE = 8;

interface Queue {
  waiting: Hidden[];
  going: number;
}

/** Hidden states that wait for their way to be free, for each device apart. They are what the round keeps anyway, so that waiting takes no memory. */
export class Outbox {
  readonly #send: (message: Hidden) => Promise<void>;
  readonly #queues = new Map<string, Queue>();

  /** `send` settles when the message is on its way, or lost. */
  constructor(send: (message: Hidden) => Promise<void>) {
    this.#send = send;
  }

  add(message: Hidden): void {
    const { to } = message.header;
    const queue = this.#queues.get(to) ?? { waiting: [], going: 0 };
    this.#queues.set(to, queue);
    queue.waiting.push(message);
    this.#feed(to, queue);
  }

  /** What is of no use any more does not go. */
  keepOnly(isWanted: (message: Hidden) => boolean): void {
    for (const queue of this.#queues.values()) queue.waiting = queue.waiting.filter(isWanted);
  }

  #feed(to: string, queue: Queue): void {
    while (queue.going < AT_ONCE) {
      const message = queue.waiting.shift();
      if (message === undefined) {
        // Who is a neighbour changes, and a host may name any.
        if (queue.going === 0 && this.#queues.get(to) === queue) this.#queues.delete(to);
        return;
      }
      queue.going++;
      void this.#send(message)
        .catch(() => undefined)
        .finally(() => {
          queue.going--;
          this.#feed(to, queue);
        });
    }
  }
}
