import type { ClientMessage } from '../../signaling/protocol/messages.ts';
import { Play } from '../connection/play.ts';
import { type Draw, mutatedJson } from './mutate.ts';
import type { Target } from './targets.ts';

/** Texts to one core before it is given up for a new one. */
const TEXTS_A_CORE = 400;

/** The connection core as a whole: a room with its host, devices that come and go, and all of them say what is nearly right. */
export class CoreTarget implements Target {
  readonly name = 'the connection core';
  readonly weight: number;
  readonly valid: Target['valid'];
  readonly make: Target['make'];
  #play = new Play();
  #texts = TEXTS_A_CORE;
  #room = '';
  #host = 0;
  #device = 0;

  constructor(weight: number, seeds: readonly ClientMessage[]) {
    this.weight = weight;
    const utf8 = new TextEncoder();
    this.valid = seeds.map((seed) => utf8.encode(JSON.stringify(seed)));
    this.make = (draw) => utf8.encode(mutatedJson(draw, seeds[draw(seeds.length)]));
  }

  read(input: Uint8Array, draw: Draw): void {
    if (this.#texts++ >= TEXTS_A_CORE) this.#begin();
    const play = this.#play;
    const said = new TextDecoder().decode(input).replaceAll('abc234', this.#room);
    const connections = play.core.connections;
    if (!connections.has(this.#host)) this.#begin();
    if (!connections.has(this.#device)) this.#device = play.join(this.#room, `device${draw(99)}0`);
    const kind = draw(3);
    const speaker = kind === 0 ? play.open() : kind === 1 ? this.#host : this.#device;
    play.text(speaker, said);
    if (kind === 0) play.drop(speaker);
    play.pass(draw(400));
    play.said(this.#host);
    play.said(this.#device);
    play.logged.length = 0;
    play.closed.length = 0;
    play.introduced.length = 0;
  }

  #begin(): void {
    this.#play = new Play();
    this.#texts = 0;
    const { connection, room } = this.#play.host();
    this.#host = connection;
    this.#room = room;
    this.#device = this.#play.join(room, 'abcdefgh');
  }
}
