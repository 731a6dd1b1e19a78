import { believable, computeSeconds, paced, unproven } from '../../../signaling/protocol/cost-model.ts';
import { MAX_DEVICES_IN_ROOM } from '../../../signaling/protocol/limits.ts';
import { median } from '../../../signaling/protocol/median.ts';
import type { ClientMessage, Measured } from '../../../signaling/protocol/messages.ts';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import * as say from '../../words/session/rounds.ts';
import type { DeviceLinks, DeviceLinksEvent } from './device-links.ts';
import {
  believedSeconds,
  type ConductEffect,
  type ConductEvent,
  type ConductState,
  isOnProbation,
  NO_CONDUCT,
  type Present,
  probationOf,
  stepConduct,
  type Trial,
} from './probation.ts';
import { type AbleDevice, patienceOf } from './round-step.ts';
import { downSeconds, type OrderInput, type RoundResult, sendOrder } from './run-round.ts';

/** Measured rounds that a device's pace is the median of. */
const PACE_WINDOW = 5;
/** A server that restarted is told again, at most so often. */
const TELL_AGAIN_MS = 5000;
/** Part of a device's link that a trial may take. */
const TRIAL_SHARE = 0.5;

export interface ConductsContext {
  readonly layers: number;
  /** Layers with adapters, ascending. */
  readonly trained: readonly number[];
  readonly host: () => string | null;
  readonly deviceLinks: DeviceLinks;
  readonly send: (message: ClientMessage) => void;
  readonly onNews: (kind: 'news' | 'problem', sentence: string) => void;
  readonly nameOf: (device: string) => string;
}

/** How devices conduct themselves, and what follows: the rim of `probation.ts`. Trials outlast rounds, so this outlasts them, too. */
export class Conducts {
  readonly #context: ConductsContext;
  #state: ConductState = NO_CONDUCT;
  /** What devices took, in their profiles' seconds. */
  readonly #paces = new Map<string, { readonly profile: Profile; readonly ratios: readonly number[] }>();
  readonly #toldMs = new Map<string, number>();
  #input: OrderInput | null = null;
  /** Of the links, as the devices of this round state them. */
  #rates: ReadonlyMap<string, number> = new Map();
  readonly #off: () => void;

  constructor(context: ConductsContext) {
    this.#context = context;
    this.#off = context.deviceLinks.onEvent((event) => this.#heard(event));
  }

  close(): void {
    this.#off();
  }

  isOnProbation(device: string): boolean {
    return isOnProbation(this.#state, device);
  }

  /** Those in good standing, or all where there is none. */
  trusted<T extends { readonly id: string }>(devices: readonly T[]): readonly T[] {
    const good = devices.filter(({ id }) => !this.isOnProbation(id));
    return good.length > 0 ? good : devices;
  }

  /** A device as what it was seen to do makes it; `devices` are all that could take work. */
  believed(device: DeviceView, profile: Profile, devices: readonly DeviceView[]): AbleDevice {
    const { layers } = this.#context;
    const own = this.#paceOf(device.id, profile);
    const proven = devices.flatMap(({ id, profile: stated }) => {
      const known = stated === null ? null : this.#paceOf(id, stated);
      return known === null ? [] : [known];
    });
    return {
      device: device.id,
      profile: own ?? unproven(believable(profile), layers, proven),
      onProbation: this.isOnProbation(device.id),
    };
  }

  /** A round begins with this plan: trials that are due are given out, those that were not delivered are over. */
  roundBegins(input: OrderInput, plan: RoomPlan, devices: readonly DeviceView[]): void {
    this.#input = input;
    this.#rates = new Map(devices.map(({ id, profile }) => [id, profile?.linkBitsPerSecond ?? Infinity]));
    const planned = new Set(plan.assignments.map(({ device }) => device));
    this.#take({
      type: 'round',
      term: input.term,
      course: input.course,
      round: input.round,
      samples: input.batch.lengths.length,
      layers: this.#context.layers,
      trained: this.#context.trained,
      orders: plan.assignments.length,
      maxOrders: MAX_DEVICES_IN_ROOM,
      patienceMs: patienceOf(plan),
      present: devices.flatMap(({ id, profile }): readonly Present[] =>
        profile === null ? [] : [{ device: id, profile, planned: planned.has(id) }],
      ),
      atMs: performance.now(),
    });
  }

  roundEnds(round: number, result: RoundResult, devices: readonly DeviceView[]): void {
    for (const { device, ...seen } of result.devices) this.#pace(device, seen, devices);
    const delivered = [...new Set(result.devices.map(({ device }) => device))];
    const { late, failed } = result;
    this.#take({ type: 'outcome', of: 'round', round, late, failed, delivered, atMs: performance.now() });
  }

  splitRoundBegins(round: number): void {
    this.#take({ type: 'split-round', round, atMs: performance.now() });
  }

  /** What stages took is the room's to learn from; here it counts who was in time. */
  splitRoundEnds(round: number, { devices, late, failed }: RoundResult): void {
    const delivered = [...new Set(devices.map(({ device }) => device))];
    this.#take({ type: 'outcome', of: 'round', round, late, failed, delivered, atMs: performance.now() });
  }

  evaluationEnds(round: number, late: readonly string[], delivered: readonly string[]): void {
    this.#take({ type: 'outcome', of: 'evaluation', round, late, failed: [], delivered, atMs: performance.now() });
  }

  /** A server that restarted does not know who is on probation. */
  roomChanged(room: RoomView | null): void {
    const nowMs = performance.now();
    for (const { id, probation } of room?.devices ?? []) {
      const known = probationOf(this.#state, id);
      if (known === null || (probation ?? null) !== null) continue;
      if (nowMs - (this.#toldMs.get(id) ?? -Infinity) < TELL_AGAIN_MS) continue;
      this.#toldMs.set(id, nowMs);
      this.#context.send({ type: 'probation', device: id, probation: known, measured: null });
    }
  }

  #paceOf(device: string, profile: Profile): Profile | null {
    const known = this.#paces.get(device);
    if (known?.profile === profile) return paced(believable(profile), median(known.ratios));
    return device === this.#context.host() ? believable(profile) : null;
  }

  #pace(device: string, seen: Measured, devices: readonly DeviceView[]): void {
    const profile = devices.find(({ id }) => id === device)?.profile ?? null;
    if (profile === null) return;
    const stated = computeSeconds(believable(profile), this.#context.layers, seen.samples, seen.deepestDepth);
    if (!(stated > 0 && seen.computeSeconds > 0)) return;
    const known = this.#paces.get(device);
    const before = known?.profile === profile ? known.ratios : [];
    this.#paces.set(device, { profile, ratios: [...before, seen.computeSeconds / stated].slice(-PACE_WINDOW) });
    if (this.#paces.size <= 2 * MAX_DEVICES_IN_ROOM) return;
    const there = new Set(devices.map(({ id }) => id));
    for (const id of this.#paces.keys()) if (!there.has(id)) this.#paces.delete(id);
  }

  #heard(event: DeviceLinksEvent): void {
    const { device } = event;
    if (event.type !== 'message') {
      if (event.type === 'detached') this.#take({ type: 'gone', device });
      return;
    }
    const trial = this.#state.get(device)?.trial ?? null;
    const { header } = event.message;
    if (trial === null) return;
    if (header.type === 'failed' && 'order' in header.tag) this.#take({ type: 'failed', device, tag: header.tag });
    if (header.type !== 'gradient' && header.type !== 'done') return;
    const atMs = performance.now();
    const { layers } = this.#context;
    if (header.type === 'gradient')
      this.#take({ type: 'part', device, tag: header.tag, due: header.block, computeSeconds: null, layers, atMs });
    else
      this.#take({
        type: 'part',
        device,
        tag: header.tag,
        due: 'done',
        computeSeconds: this.#trialSeconds(device, trial, header.computeSeconds, atMs),
        layers,
        atMs,
      });
  }

  #trialSeconds(device: string, { sinceMs }: Trial, stated: number, atMs: number): number {
    const rate = this.#rates.get(device) ?? Infinity;
    const down = this.#input === null ? 0 : downSeconds(this.#input.parameters, rate);
    return believedSeconds(stated, (atMs - sinceMs) / 1000, down);
  }

  #take(event: ConductEvent): void {
    const { state, effects } = stepConduct(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: ConductEffect): void {
    const { deviceLinks, send, onNews, nameOf } = this.#context;
    const { device } = effect;
    switch (effect.type) {
      case 'try': {
        if (this.#input === null) return;
        const { tag, work } = effect.trial;
        sendOrder(this.#input, { ...work, device, number: tag.order, epoch: tag.epoch, share: TRIAL_SHARE });
        break;
      }
      case 'abandon':
        deviceLinks.abandon(device, effect.tag);
        break;
      case 'standing': {
        this.#toldMs.set(device, performance.now());
        send({ type: 'probation', device, probation: effect.probation, measured: effect.measured });
        const sentence = standingSentence(nameOf(device), effect);
        if (sentence !== null) onNews('news', sentence);
        break;
      }
      default:
        effect satisfies never;
    }
  }
}

/** Null where there is nothing to say: nobody waits for a device that was only timed. */
function standingSentence(
  name: string,
  { probation, was }: Extract<ConductEffect, { type: 'standing' }>,
): string | null {
  if (probation === null) return was ? say.deliveredInTime(name) : null;
  if (was) return null;
  const what = probation.why === 'late' ? say.didNotDeliverInTime : 'failed';
  return say.andIsOnProbationNobody(name, what);
}
