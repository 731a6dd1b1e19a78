import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Emitter } from '../../web/session/world/emitter.ts';
import type { BrowserKind } from '../browser/find-browser.ts';
import type { Door } from '../relay/door.ts';
import type { Network } from '../relay/network.ts';
import { type Actor, type Hear, ProcessActor, type ServerActor } from './actors.ts';
import type { MemberRequest, RoomRequest } from './member-request.ts';
import type { Said, ToldRound } from './messages.ts';
import { TabActor } from './tab-actor.ts';

export interface Report extends ToldRound {
  readonly atMs: number;
  readonly by: string;
}

/** All processes of one session, and what they said. */
export class ChaosRoom {
  readonly server: ServerActor;
  /** Between all of them. */
  readonly network: Network;
  readonly members: Actor[] = [];
  /** Every round as a host told it, in the order in which it was heard; a round that was done again is there again. */
  readonly reports: Report[] = [];
  readonly sentences: { readonly name: string; readonly sentence: string }[] = [];
  readonly #folder: string;
  readonly #memoryBytes: number;
  readonly #heard = new Emitter<void>();
  readonly #said = new Emitter<{ member: Actor; said: Said | null }>();
  /** Everything that members say; null when one is gone. */
  readonly onSaid = this.#said.on;
  #link: string | null = null;
  #names = 0;

  constructor(server: ServerActor, network: Network, folder: string, memoryBytes: number) {
    this.#memoryBytes = memoryBytes;
    this.server = server;
    this.network = network;
    this.#folder = folder;
  }

  open(room: RoomRequest): Promise<Actor> {
    return this.#add('host', () => ({ kind: 'host', room }));
  }

  /** A process, or a tab of this browser. */
  async join(browser?: BrowserKind): Promise<Actor> {
    const link = await this.until('a link', () => this.#link);
    this.#names++;
    const name = `${browser === undefined ? 'd' : browser}${this.#names}`;
    return this.#add(name, (door) => ({ kind: 'device', link: door.link(link) }), browser);
  }

  /** A process that was killed comes back as who it was, with its checkpoint. */
  comeBack({ name, request }: Actor): Promise<Actor> {
    // Who led for too short a time has none.
    return existsSync(request.checkpointFile) ? this.#add(name, () => ({ kind: 'return' })) : this.join();
  }

  get living(): readonly Actor[] {
    return this.members.filter(({ isGone }) => !isGone);
  }

  /** Who leads, as far as it was said; the latest of several. */
  get host(): Actor | null {
    const leading = this.living.filter(({ leadsSinceMs, isStopped }) => leadsSinceMs > 0 && !isStopped);
    return leading.sort((a, b) => b.leadsSinceMs - a.leadsSinceMs)[0] ?? null;
  }

  /** Whether training can begin: somebody leads, and has a plan. */
  get isPlanned(): boolean {
    return this.host?.view?.devices.some(({ planned }) => planned) ?? false;
  }

  /** Devices beside the host that have a part in the rounds, by name. */
  get devices(): readonly Actor[] {
    const { host } = this;
    if (host?.view == null || host.view.server !== 'connected') return [];
    const able = new Set(
      host.view.devices
        .filter((one) => one.online && one.linked && one.ready && one.planned && !one.probation)
        .map(({ id }) => id),
    );
    return this.living
      .filter((one) => one !== host && !one.isStopped && one.view !== null && able.has(one.view.self))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Whom faults of devices meet: tabs, where there are any. A liar that went before it was found would have its lie believed. */
  get victims(): readonly Actor[] {
    const devices = this.devices.filter(({ isLiar }) => !isLiar);
    const tabs = devices.filter((one) => one instanceof TabActor);
    return tabs.length > 0 ? tabs : devices;
  }

  /** Devices that will have a part without a round in between. */
  get coming(): readonly Actor[] {
    const there = new Set(this.devices);
    const onProbation = new Set(this.host?.view?.devices.filter((one) => one.probation).map(({ id }) => id));
    return this.living.filter(
      (one) => one !== this.host && !there.has(one) && !(one.view !== null && onProbation.has(one.view.self)),
    );
  }

  /** What `look` comes to, as soon as it is something; rejects after so many seconds with what everybody is at. */
  until<T>(what: string, look: () => T | null | false, seconds = 120): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        const found = look();
        if (found === null || found === false) return;
        off();
        clearTimeout(timer);
        resolve(found);
      };
      const off = this.#heard.on(settle);
      const timer = setTimeout(() => {
        off();
        reject(new Error(`After ${seconds} s still no ${what}. ${this.described}`));
      }, 1000 * seconds);
      settle();
    });
  }

  get described(): string {
    const { host } = this;
    const states = this.living.map(({ name, view, isStopped, heldRound }) =>
      [name, isStopped ? 'stopped' : '', view?.role, view?.status, view?.server, view?.ended, heldRound].join(' '),
    );
    const seen = host?.view?.devices.map((one) => JSON.stringify(one)).join('\n') ?? 'no host';
    const said = this.sentences
      .slice(-30)
      .map(({ name, sentence }) => `${name}: ${sentence}`)
      .join('\n');
    return `${states.join('; ')}\n${seen}\n${said}`;
  }

  async close(): Promise<void> {
    for (const one of this.living) one.goOn();
    this.host?.tell({ do: 'leave' });
    const gone = this.until('end of all processes', () => this.living.length === 0, 8).catch(() => undefined);
    await gone;
    await Promise.all(this.living.map((one) => one.kill()));
  }

  async #add(name: string, part: (door: Door) => MemberRequest['part'], browser?: BrowserKind): Promise<Actor> {
    const door = await this.network.door(name);
    const request: MemberRequest = {
      ...{ origin: door.origin, name, part: part(door), memoryBytes: this.#memoryBytes },
      checkpointFile: join(this.#folder, `${name}.kept`),
    };
    const hear: Hear = (from, said) => this.#hear(from, said);
    const member = browser === undefined ? new ProcessActor(request, hear) : new TabActor(browser, request, hear);
    this.members.push(member);
    return member;
  }

  #hear(member: Actor, said: Said | null): void {
    if (said?.say === 'link') this.#link = said.link;
    if (said?.say === 'round') {
      const { round, loss, seconds } = said;
      this.reports.push({ round, loss, seconds, atMs: performance.now(), by: member.name });
    }
    if (said?.say === 'notice') this.sentences.push({ name: member.name, sentence: said.sentence });
    this.#said.emit({ member, said });
    this.#heard.emit();
  }
}
