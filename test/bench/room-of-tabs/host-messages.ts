import type { CDPSession, Page } from 'puppeteer-core';
import { type ClientMessage, parseServerMessage, type ServerMessage } from '../../../signaling/protocol/messages.ts';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { RoomView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import { changedRoom, type ToldSettings } from '../../../web/session/links/told-room.ts';

/** What a host's tab and the server say to each other, as the browser's own tools show it. */
export class HostMessages {
  room: RoomView | null = null;
  readonly rounds: { readonly atMs: number; readonly report: RoundReport }[] = [];
  readonly scores: { readonly atMs: number; readonly round: number; readonly examples: number }[] = [];
  readonly plans = new Map<number, RoomPlan>();
  /** When each device was ready and measured, by its name. */
  readonly readyMs = new Map<string, number>();
  #told: ToldSettings | null = null;

  static async listen(page: Page): Promise<HostMessages> {
    const session: CDPSession = await page.createCDPSession();
    const messages = new HostMessages();
    session.on('Network.webSocketFrameReceived', ({ response }) => messages.#received(response.payloadData));
    session.on('Network.webSocketFrameSent', ({ response }) => messages.#sent(response.payloadData));
    await session.send('Network.enable');
    return messages;
  }

  #received(text: string): void {
    const read = parseServerMessage(text);
    // The other socket introduces devices to each other.
    if (!read.ok) return;
    const message: ServerMessage = read.value;
    if (message.type === 'welcome') this.#told = { room: message.room, settings: message.settings };
    if (message.type !== 'news' || this.#told === null) return;
    this.room = changedRoom(this.#told, message.since === null ? null : this.room, message.change) ?? this.room;
    if (this.room?.plan) this.plans.set(this.room.plan.version, this.room.plan);
    for (const { name, status, profile } of this.room?.devices ?? [])
      if (status.kind === 'ready' && profile !== null && !this.readyMs.has(name))
        this.readyMs.set(name, performance.now());
  }

  /** What the host says is its own word, in the words that the types give it. */
  #sent(text: string): void {
    if (!/^\{"type":"(round|score)"/.test(text)) return;
    const message = JSON.parse(text) as Extract<ClientMessage, { type: 'round' | 'score' }>;
    const atMs = performance.now();
    if (message.type === 'round') this.rounds.push({ atMs, report: message.report });
    else this.scores.push({ atMs, round: message.report.round, examples: message.report.examples });
  }
}
