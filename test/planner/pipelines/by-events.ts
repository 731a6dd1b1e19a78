import type { StageTimes } from '../../../signaling/protocol/pipeline/stages.ts';

/**
 * The round of a pipeline once more, as a game of servers: a processor and an uplink for each stage, each busy until some time, a queue of
 * what happens when, and no recurrence. Knows nothing of how `schedule` goes about it.
 */
export function secondsByEvents(stages: readonly StageTimes[]): number {
  const microBatches = stages[0].forwardSeconds.length;
  const agenda: { at: number; number: number; act: (now: number) => void }[] = [];
  let count = 0;
  let finished = 0;
  const after = (at: number, act: (now: number) => void) => agenda.push({ at, number: count++, act });

  interface Message {
    readonly seconds: number;
    readonly lag: number;
    readonly arrived: (now: number) => void;
  }
  class Server {
    readonly times: StageTimes;
    readonly s: number;
    readonly todo: string[];
    readonly here = new Set<string>();
    readonly outbox: Message[] = [];
    computing = false;
    sending = false;

    constructor(times: StageTimes, s: number) {
      this.times = times;
      this.s = s;
      const ahead = times.window === 0 ? microBatches : Math.min(times.window, microBatches);
      this.todo = Array.from({ length: ahead }, (_, j) => `F${j}`);
      if (times.window > 0)
        for (let j = 0; j < microBatches; j++) {
          this.todo.push(`B${j}`);
          if (ahead + j < microBatches) this.todo.push(`F${ahead + j}`);
        }
    }

    compute(now: number): void {
      const [next] = this.todo;
      if (this.computing || next === undefined || !this.here.has(next)) return;
      this.todo.shift();
      this.computing = true;
      const j = Number(next.slice(1));
      const { times, s } = this;
      const up = next.startsWith('F');
      after(now + (up ? times.forwardSeconds : times.backwardSeconds)[j], (end) => {
        this.computing = false;
        const neighbour = servers[up ? s + 1 : s - 1];
        if (up && neighbour === undefined) this.here.add(`B${j}`);
        const seconds = up ? times.upSeconds[j] : times.downSeconds?.[j];
        const relayed = times.relayLagSeconds?.[up ? 'up' : 'down'] ?? 0;
        if (neighbour !== undefined && seconds !== undefined)
          this.post(end, {
            seconds,
            lag: times.lagSeconds + relayed,
            arrived: (then) => neighbour.take(then, next),
          });
        if (this.todo.length === 0 && times.window > 0) {
          if (times.gradientSeconds === null) finished = Math.max(finished, end);
          else
            this.post(end, {
              seconds: times.gradientSeconds,
              lag: times.lagSeconds,
              arrived: (then) => {
                finished = Math.max(finished, then);
              },
            });
        }
        this.compute(end);
      });
    }

    take(now: number, what: string): void {
      this.here.add(what);
      this.compute(now);
    }

    post(now: number, message: Message): void {
      this.outbox.push(message);
      this.send(now);
    }

    send(now: number): void {
      const message = this.sending ? undefined : this.outbox.shift();
      if (message === undefined) return;
      this.sending = true;
      after(now + message.seconds, (end) => {
        this.sending = false;
        after(end + message.lag, message.arrived);
        this.send(end);
      });
    }
  }

  const servers = stages.map((times, s) => new Server(times, s));
  for (let j = 0; j < microBatches; j++) after(0, (now) => servers[0].take(now, `F${j}`));
  while (agenda.length > 0) {
    const next = agenda.reduce((a, b) => (b.at < a.at || (b.at === a.at && b.number < a.number) ? b : a));
    agenda.splice(agenda.indexOf(next), 1);
    next.act(next.at);
  }
  return finished;
}
