import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RoomPlanner } from './plan-service.ts';

/** What is counted as it happens, for `/metrics`: numbers only, no code, no name. */
export interface Counts {
  readonly rooms: number;
  /** Devices that sit in a room, and are there. */
  readonly devices: number;
  readonly connections: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
}

export interface Metrics {
  /** A planner whose time is measured, waiting for other rooms' plans included. */
  timed(planner: RoomPlanner): RoomPlanner;
  readonly contentType: string;
  /** In Prometheus' text form. */
  text(): Promise<string>;
}

/** `counts` is asked when somebody looks. */
export function newMetrics(counts: () => Counts): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: (counts: Counts) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(counts()));
      },
    });
  const counter = (name: string, help: string, read: (counts: Counts) => number): Counter =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read(counts()));
      },
    });
  gauge('tabloom_rooms', 'Sessions that are open.', ({ rooms }) => rooms);
  gauge('tabloom_devices', 'Devices that sit in a session.', ({ devices }) => devices);
  gauge('tabloom_connections', 'Open connections.', ({ connections }) => connections);
  counter('tabloom_messages_received_total', 'Messages from clients.', ({ messagesReceived }) => messagesReceived);
  counter('tabloom_messages_sent_total', 'Messages to clients.', ({ messagesSent }) => messagesSent);
  gauge('tabloom_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss());
  const planSeconds = new Histogram({
    name: 'tabloom_plan_seconds',
    help: 'Seconds from a question to the planner to its answer.',
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers,
  });
  return {
    timed: (planner) => ({
      plan(problem, whose) {
        const stop = planSeconds.startTimer();
        return planner.plan(problem, whose).finally(stop);
      },
      close: () => planner.close(),
    }),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
