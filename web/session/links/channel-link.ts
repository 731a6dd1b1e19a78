import {
  type DataMessage,
  encodeMessage,
  readMessage,
  type TensorSizes,
} from '../../../signaling/protocol/exchange/data-messages.ts';
import {
  decodeFrame,
  encodeFrame,
  MAX_FRAME_HEAD_BYTES,
  Reassembler,
  slices,
} from '../../../signaling/protocol/exchange/frames.ts';
import { MODEL_PIECE_BYTES } from '../../../signaling/protocol/exchange/model-messages.ts';
import { SLICE_PAYLOAD_BYTES } from '../../../signaling/protocol/limits.ts';
import * as say from '../../words/session/links.ts';
import { Allowance, type Rate } from '../world/allowance.ts';
import { Emitter } from '../world/emitter.ts';
import { Ending, whileOpen } from '../world/ending.ts';
import type { MessageLink, SendPace } from './message-link.ts';
import { beginProof, type Proof, type ProofEffect, type ProofState, type ProofTerms, stepProof } from './proof.ts';
import { SendLanes } from './send-lanes.ts';
import { FIRST_WINDOW, nextWindow, RoundTrips, sliceBytes } from './send-window.ts';

/** Who the two ends are is settled within so long, and in messages so short, or never. */
const PROOF_MS = 10_000;
export const PROOF_BYTES = 4096;
/** Urgent messages that may come before it is clear who the other side is: streams may overtake each other. */
const MAX_EARLY_URGENT = 8;
/**
 * Messages that go over a stream of their own, past all that is under way: they tell by a tag or a number what they are about, and are understood
 * in whatever order they come (`heard.ts`). The others keep behind bulk that the channel has taken, and before bulk that waits.
 */
const URGENT: ReadonlySet<DataMessage['header']['type']> = new Set([
  ...(['ping', 'pong', 'probe', 'probed', 'abandon', 'done', 'failed'] as const),
]);
/** Bulk messages that may wait to be sent; a device's orders of one round make far fewer. */
const MAX_WAITING_MESSAGES = 256;
/** Short messages go out without waiting; a peer that takes none while so much is unsent is given up. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
const PING_EVERY_MS = 1000;
/** A peer pings once a second; what was held up on the way comes in a bunch. */
const PING_RATE: Rate = { burst: 30, perSecond: 4 };
/** Short messages: a few for each order. */
const SHORT_RATE: Rate = { burst: 500, perSecond: 200 };
/** All messages: a gradient for each layer of an order, besides. */
const MESSAGE_RATE: Rate = { burst: 2000, perSecond: 1000 };
/** `close` often does not fire when a tab dies, so silence counts. */
const SILENCE_MS = 7000;
/** Where there is another reason to believe that the peer is gone. */
const DOUBTFUL_SILENCE_MS = 2500;
/** Of a peer that is asked whether it is there; the answer has a stream of its own, past all that is under way. */
const ANSWER_MS = 1500;

const TAKES_NOTHING = say.theConnectionDoesNotTake;
const FLOOD = say.theOtherSideSendsMore;

/** How far a link can be trusted; digits are for people to compare where nothing else proves it. */
export interface Opened {
  readonly proof: Proof;
  readonly digits: string | null;
}

/** What a link uses of an RTCDataChannel. */
export interface LinkChannel {
  binaryType: BinaryType;
  bufferedAmountLowThreshold: number;
  readonly readyState: RTCDataChannelState;
  readonly bufferedAmount: number;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
  addEventListener(type: 'open' | 'close' | 'error' | 'bufferedamountlow', listener: () => void): void;
  removeEventListener(type: 'bufferedamountlow', listener: () => void): void;
}

/**
 * A MessageLink over negotiated channels, one for all and one for what is urgent: slices with back-pressure and pacing on the way out,
 * checksums and validation on the way in. First each side says which version of the messages it speaks and proves who it is (`proof.ts`); until then nothing else is heard. A peer
 * that sends what does not validate loses its link, not the session. Every wait in here ends when the link does.
 */
export class ChannelLink implements MessageLink {
  readonly #channel: LinkChannel;
  readonly #urgent: LinkChannel | null;
  readonly #sizes: TensorSizes;
  readonly #maxBytes: number;
  readonly #message = new Emitter<DataMessage>();
  readonly #ending = new Ending();
  readonly #openedMs = performance.now();
  /** Settles when the other side is known, and rejects when the link ends before. Nothing is to be sent until then. */
  readonly opened: Promise<Opened>;
  #settleOpened: (opened: Opened) => void = () => undefined;
  #proof: ProofState;
  #reassembler = new Reassembler(PROOF_BYTES);
  /** Of messages of one slice each. */
  readonly #urgentReassembler = new Reassembler(SLICE_PAYLOAD_BYTES);
  readonly #earlyUrgent: unknown[] = [];
  readonly #pings = new Allowance(PING_RATE, performance.now());
  readonly #shorts = new Allowance(SHORT_RATE, performance.now());
  readonly #messages = new Allowance(MESSAGE_RATE, performance.now());
  readonly #heartbeat: ReturnType<typeof setInterval>;
  readonly onMessage = this.#message.on;
  readonly onClose = this.#ending.on;
  #nextNumber = 1;
  #isOpen = false;
  #heardMs = performance.now();
  readonly #lanes = new SendLanes();
  #sending = false;
  #window = FIRST_WINDOW;
  readonly #roundTrips = new RoundTrips();
  readonly #added = new Emitter<void>();
  #silenceMs = SILENCE_MS;
  #asking: ReturnType<typeof setTimeout> | null = null;

  /** The channel must be open; `early` is what came over it before. `urgent` is used as soon as it is open. */
  constructor(
    channel: LinkChannel,
    sizes: TensorSizes,
    terms: ProofTerms,
    early: readonly unknown[] = [],
    urgent: LinkChannel | null = null,
  ) {
    this.#channel = channel;
    this.#urgent = urgent;
    this.#sizes = sizes;
    // A piece of the model may be under way beside the longest of the others.
    const piece = MAX_FRAME_HEAD_BYTES + MODEL_PIECE_BYTES;
    this.#maxBytes = piece + (terms.own === 'host' ? sizes.toHostBytes : sizes.toDeviceBytes);
    this.opened = whileOpen(
      this.#ending.on,
      new Promise<Opened>((resolve) => {
        this.#settleOpened = resolve;
      }),
    );
    // Who does not ask is told by `onClose`.
    this.opened.catch(() => undefined);
    for (const each of [channel, urgent]) {
      if (each === null) continue;
      each.binaryType = 'arraybuffer';
      each.addEventListener('close', () => this.#end(say.theConnectionWasClosed));
      each.addEventListener('error', () => this.#end(say.theConnectionBroke));
    }
    channel.bufferedAmountLowThreshold = this.#window.bytes / 2;
    channel.addEventListener('message', ({ data }) => this.#receive(data, this.#reassembler));
    urgent?.addEventListener('message', ({ data }) => this.#receiveUrgent(data));
    this.#heartbeat = setInterval(() => this.#beat(), PING_EVERY_MS);
    const { state, effects } = beginProof(terms);
    this.#proof = state;
    this.#perform(effects);
    for (const data of early) this.#receive(data, this.#reassembler);
  }

  send(message: DataMessage, pace: SendPace | null = null): Promise<void> {
    if (!this.#isOpen && !this.#closed) throw new Error(say.aLinkSendsNothingBefore);
    if (message.tensors.length === 0) {
      // Short messages overtake bulk ones: their single slice goes straight out.
      this.#putShort(message);
      return Promise.resolve();
    }
    if (this.#lanes.waiting >= MAX_WAITING_MESSAGES) this.#end(TAKES_NOTHING);
    if (this.#closed) return Promise.resolve();
    const sent = this.#lanes.add(message, pace);
    this.#added.emit();
    if (!this.#sending) queueMicrotask(() => void this.#sendSlices());
    return sent;
  }

  close(why = say.theConnectionWasClosedHere): void {
    this.#end(why);
  }

  /** Whether the peer is known to have lost the server: then it is given up after a shorter silence. */
  doubt(doubtful: boolean): void {
    this.#silenceMs = doubtful ? DOUBTFUL_SILENCE_MS : SILENCE_MS;
  }

  ask(): void {
    if (this.#closed || !this.#isOpen || this.#asking !== null) return;
    const askedMs = performance.now();
    this.#putShort({ header: { type: 'ping', sentMs: askedMs }, tensors: [] });
    this.#asking = setTimeout(() => {
      this.#asking = null;
      if (this.#heardMs <= askedMs) this.#end(say.theOtherSideStoppedAnswering);
    }, ANSWER_MS);
  }

  get #closed(): boolean {
    return this.#ending.why !== null;
  }

  #putShort(message: DataMessage): void {
    const urgent =
      this.#urgent?.readyState === 'open' && URGENT.has(message.header.type) ? this.#urgent : this.#channel;
    this.#put(encodeMessage(message), urgent);
  }

  #put(bytes: Uint8Array<ArrayBuffer>, channel = this.#channel): void {
    if (this.#closed) return;
    if (channel.bufferedAmount > MAX_UNSENT_BYTES) this.#end(TAKES_NOTHING);
    for (const slice of slices(bytes, this.#nextNumber++)) this.#write(slice, channel);
  }

  /** Sends what waits in the lanes until nothing does. */
  async #sendSlices(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    let filledMs = performance.now();
    let sentBytes = this.#channel.bufferedAmount;
    while (!this.#closed) {
      if (this.#channel.bufferedAmount > this.#window.bytes) {
        await this.#drained();
        const nowMs = performance.now();
        const unsentBytes = this.#channel.bufferedAmount;
        const drained = { bytes: sentBytes - unsentBytes, elapsedMs: nowMs - filledMs, ranDry: unsentBytes === 0 };
        this.#window = nextWindow(this.#window, drained, this.#roundTrips.shortestMs);
        this.#channel.bufferedAmountLowThreshold = this.#window.bytes / 2;
        [filledMs, sentBytes] = [nowMs, unsentBytes];
        continue;
      }
      const next = this.#lanes.next(performance.now(), () => this.#nextNumber++, sliceBytes(this.#window));
      if (next === null) break;
      if (next.kind === 'slice') {
        sentBytes += next.slice.length;
        this.#write(next.slice, this.#channel);
      } else {
        await this.#slept(next.ms);
        // What the path takes is seen only while it has something to take.
        [filledMs, sentBytes] = [performance.now(), this.#channel.bufferedAmount];
      }
    }
    this.#sending = false;
  }

  #write(slice: Uint8Array<ArrayBuffer>, channel: LinkChannel): void {
    if (this.#closed) return;
    try {
      channel.send(slice);
    } catch {
      this.#end(say.theConnectionBrokeWhileSending);
    }
  }

  #drained(): Promise<void> {
    return this.#waited((done) => {
      this.#channel.addEventListener('bufferedamountlow', done);
      return () => this.#channel.removeEventListener('bufferedamountlow', done);
    });
  }

  /** For so long, or until another message may go first. */
  #slept(ms: number): Promise<void> {
    return this.#waited((done) => {
      const timer = setTimeout(done, ms);
      const off = this.#added.on(done);
      return () => {
        clearTimeout(timer);
        off();
      };
    });
  }

  /** Until `start` calls back or the link ends. `start` returns what stops it. */
  #waited(start: (done: () => void) => () => void): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        stop();
        off();
        resolve();
      };
      const stop = start(settle);
      const off = this.#ending.on(settle);
    });
  }

  #receiveUrgent(data: unknown): void {
    if (this.#isOpen) this.#receive(data, this.#urgentReassembler);
    else if (this.#earlyUrgent.push(data) > MAX_EARLY_URGENT) this.#end(FLOOD);
  }

  #receive(data: unknown, reassembler: Reassembler): void {
    if (this.#closed) return;
    const nowMs = performance.now();
    this.#heardMs = nowMs;
    try {
      if (!(data instanceof ArrayBuffer)) throw new Error(say.aPeerSentTextWhere);
      const bytes = reassembler.add(new Uint8Array(data), nowMs);
      if (bytes === null) return;
      if (!this.#messages.spend(nowMs)) throw new Error(FLOOD);
      const frame = decodeFrame(bytes);
      if (!this.#isOpen) {
        if (frame.tensors.length > 0) throw new Error(say.aPeerSentTensorsBefore);
        const { state, effects } = stepProof(this.#proof, frame.header);
        this.#proof = state;
        this.#perform(effects);
        return;
      }
      const message = readMessage(frame, this.#sizes);
      if (message.tensors.length === 0 && !this.#shorts.spend(nowMs)) throw new Error(FLOOD);
      if ((message.header.type === 'ping' || message.header.type === 'pong') && !this.#pings.spend(nowMs))
        throw new Error(FLOOD);
      if (message.header.type === 'ping')
        this.#putShort({ header: { type: 'pong', sentMs: message.header.sentMs }, tensors: [] });
      else if (message.header.type === 'pong') this.#roundTrips.add(nowMs - message.header.sentMs);
      else this.#message.emit(message);
    } catch (error) {
      this.#end(error instanceof Error ? error.message : say.aPeerSentSomethingUnreadable);
    }
  }

  #perform(effects: readonly ProofEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.#put(encodeFrame(effect.header, []));
      else if (effect.type === 'end') this.#end(effect.sentence);
      else {
        this.#isOpen = true;
        this.#reassembler = new Reassembler(this.#maxBytes);
        this.#settleOpened({ proof: effect.proof, digits: effect.digits });
        for (const data of this.#earlyUrgent.splice(0)) this.#receive(data, this.#urgentReassembler);
      }
    }
  }

  #beat(): void {
    const nowMs = performance.now();
    if (!this.#isOpen) {
      if (nowMs - this.#openedMs > PROOF_MS) this.#end(say.theOtherSideDidNot);
      return;
    }
    const overdue = this.#reassembler.overdue(nowMs);
    if (overdue !== null) this.#end(overdue);
    else if (nowMs - this.#heardMs > this.#silenceMs) this.#end(say.theOtherSideStoppedAnswering);
    else this.#putShort({ header: { type: 'ping', sentMs: performance.now() }, tensors: [] });
  }

  #end(why: string): void {
    if (this.#closed) return;
    clearInterval(this.#heartbeat);
    if (this.#asking !== null) clearTimeout(this.#asking);
    this.#lanes.clear();
    this.#ending.end(why);
    this.#channel.close();
    this.#urgent?.close();
  }
}
