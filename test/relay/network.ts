import { networkInterfaces } from 'node:os';
import { withStandIns } from './candidates.ts';
import { type Conditions, conditionsOf, type Rule } from './conditions.ts';
import { Door } from './door.ts';
import { type Counts, OneWay } from './one-way.ts';
import { PairPorts, type Side } from './pair-ports.ts';

/** WebRTC in Node and Chromium gather nothing on loopback. */
const OWN_ADDRESS =
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';

/**
 * A bad network between peers that are all on this machine. Each peer, a tab or a process, comes to the server through a door of its own,
 * which tells others that it is reached at this network's ports; so datagrams between two peers go through here.
 *
 *     const network = new Network(`http://127.0.0.1:${server.port}`, { seed: 1 });
 *     const ada = await network.door('ada');                // ada.origin instead of the server's, ada.link(link) instead of a link
 *     network.set({ delayMs: 50, loss: 0.01 });             // everybody, from now on
 *     network.set({ cut: true }, 'ada');                    // between ada and all others
 *     network.set({ cut: false }, 'ada', 'ben');            // between the two, both ways; `setOneWay` for one
 *     ada.cut(); await ada.heal();                          // between ada and the server
 *     await network.close();
 */
export class Network {
  readonly #server: URL;
  readonly #seed: number;
  readonly #doors = new Map<string, Door>();
  readonly #rules: Rule[] = [];
  readonly #ways = new Map<string, { readonly from: string; readonly to: string; readonly way: OneWay }>();
  readonly #pairs = new Map<string, PairPorts>();
  /** Which door a PeerJS id came through. */
  readonly #names = new Map<string, string>();
  readonly #awaited = new Map<string, readonly ((name: string) => void)[]>();

  /** `server`: its address as a page has it. The same seed loses the same datagrams of a direction, counted from its first. */
  constructor(server: string, { seed }: { readonly seed: number }) {
    this.#server = new URL(server);
    this.#seed = seed;
  }

  /** The way to the server of the peer of this name; of all peers that need no names of their own. Opened once. */
  async door(name: string): Promise<Door> {
    const before = this.#doors.get(name);
    if (before !== undefined) return before;
    const door = await Door.open(this.#server, {
      came: (id) => this.#cameThrough(id, name),
      said: (id, to, text) => this.#introduced(id, to, text),
    });
    this.#doors.set(name, door);
    return door;
  }

  /** Of what is between two peers, between one and all others, or between all, in both directions. */
  set(change: Partial<Conditions>, one: string | null = null, other: string | null = null): void {
    this.#rules.push({ from: one, to: other, change }, { from: other, to: one, change });
    this.#apply();
  }

  setOneWay(change: Partial<Conditions>, from: string | null, to: string | null): void {
    this.#rules.push({ from, to, change });
    this.#apply();
  }

  /**
   * This peer has another network: of all that it has open, to the server and to others, nothing comes through any more, and nobody is told. What it
   * opens from now on does.
   */
  move(name: string): void {
    this.#doors.get(name)?.stall();
    for (const [key, ports] of this.#pairs)
      if (key.split(' ').some((id) => this.#names.get(id) === name)) ports.leave();
  }

  /** Forgets all that was set. */
  clear(): void {
    this.#rules.length = 0;
    this.#apply();
  }

  counts(from: string, to: string): Counts {
    return this.#way(from, to).counts;
  }

  async close(): Promise<void> {
    for (const { way } of this.#ways.values()) way.drop();
    for (const ports of this.#pairs.values()) ports.close();
    await Promise.all([...this.#doors.values()].map((door) => door.close()));
  }

  #apply(): void {
    for (const { from, to, way } of this.#ways.values()) way.conditions = conditionsOf(this.#rules, from, to);
  }

  #way(from: string, to: string): OneWay {
    const key = `${from} > ${to}`;
    const before = this.#ways.get(key);
    if (before !== undefined) return before.way;
    const way = new OneWay(this.#seed, key, conditionsOf(this.#rules, from, to));
    this.#ways.set(key, { from, to, way });
    return way;
  }

  #cameThrough(id: string, name: string): void {
    this.#names.set(id, name);
    for (const tell of this.#awaited.get(id) ?? []) tell(name);
    this.#awaited.delete(id);
  }

  /** The server keeps what is said to those who are not there yet, and so does this. Who comes past the doors is not reached at all. */
  #nameOf(id: string): string | Promise<string> {
    return (
      this.#names.get(id) ??
      new Promise((resolve) => this.#awaited.set(id, [...(this.#awaited.get(id) ?? []), resolve]))
    );
  }

  /** What a peer says to another on its way to the server. Null: it is not said. */
  async #introduced(id: string, to: string, text: string): Promise<string | null> {
    const [low, high] = id < to ? [id, to] : [to, id];
    const [lowName, highName] = await Promise.all([this.#nameOf(low), this.#nameOf(high)]);
    const key = `${low} ${high}`;
    let ports = this.#pairs.get(key);
    if (ports === undefined) {
      const [up, down] = [this.#way(lowName, highName), this.#way(highName, lowName)];
      ports = new PairPorts((from, bytes, deliver) => (from === 0 ? up : down).carry(bytes, deliver));
      this.#pairs.set(key, ports);
    }
    const own: Side = id === low ? 0 : 1;
    return withStandIns(text, OWN_ADDRESS, (real) => ports.standIn(own, real));
  }
}
