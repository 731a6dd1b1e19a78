import { type Factors, paced, supposedProfile } from '../../../signaling/protocol/cost-model.ts';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { DeviceView, RoomView, RoundReport } from '../../../signaling/protocol/room-view.ts';
import type { Policy } from '../../../signaling/protocol/settings.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import type { PlanQuestion } from '../../session/view/what-if.ts';
import * as say from '../../words/watch/what-if.ts';

/** Another room than the one that is: devices in or out, quicker or slower, and others that might come. Nothing of it touches the room. */
export interface WhatIf {
  readonly devices: readonly Supposed[];
  readonly samples: number;
  readonly policy: Policy;
}

export interface Supposed extends Factors {
  readonly id: string;
  readonly name: string;
  readonly profile: Profile;
  /** Takes part. */
  readonly here: boolean;
  /** The device of the room that somebody who is not in it is like; null of those who are. */
  readonly like: string | null;
}

/** Steps of the sliders: powers of two. */
export const LEAST_FACTOR = 1 / 8;
export const MOST_FACTOR = 8;

/** The room as it is. */
export function asItIs({ devices, settings }: Pick<RoomView, 'devices' | 'settings'>): WhatIf {
  return {
    devices: devices.flatMap(({ id, name, profile, status, linked }: DeviceView) =>
      profile === null
        ? []
        : [
            {
              ...{ id, name, profile, here: status.kind === 'ready' && linked },
              ...{ speed: 1, memory: 1, uplink: 1, like: null },
            },
          ],
    ),
    samples: settings.training.samplesPerRound,
    policy: settings.policy,
  };
}

/** Who might come, by how they compare with a device of the room. */
export const PRESETS = [
  { kind: say.phone, slower: 3, limitBytes: 0.5e9, linkBitsPerSecond: 2e7 },
  { kind: say.laptop, slower: 1, limitBytes: 1.5e9, linkBitsPerSecond: 5e7 },
  { kind: 'GPU', slower: 0.1, limitBytes: 8e9, linkBitsPerSecond: 1e8 },
] as const;
export type Preset = (typeof PRESETS)[number];

/** Devices that may be imagined beside those that are there. */
const MOST_INVENTED = 32;

/** With one more device, timed like the first of the room but for what the preset says; the same where there is nobody to compare with. */
export function withPreset(what: WhatIf, { kind, slower, limitBytes, linkBitsPerSecond }: Preset): WhatIf {
  const like = what.devices[0];
  const invented = what.devices.filter((one) => one.like !== null);
  if (like === undefined || invented.length >= MOST_INVENTED) return what;
  const number = 1 + invented.filter(({ name }) => name.startsWith(kind)).length;
  const timed = paced(like.profile, slower);
  const supposed: Supposed = {
    id: `whatif${String(invented.length).padStart(2, '0')}`,
    name: number === 1 ? say.notHere(kind) : say.notHereWithKind(kind, number),
    profile: { ...timed, linkBitsPerSecond, memory: { ...timed.memory, limitBytes } },
    here: true,
    speed: 1,
    memory: 1,
    uplink: 1,
    like: like.id,
  };
  return { ...what, devices: [...what.devices, supposed] };
}

export const withDevice = (what: WhatIf, id: string, change: Partial<Supposed>): WhatIf => ({
  ...what,
  devices: what.devices.map((one) => (one.id === id ? { ...one, ...change } : one)),
});

/** So many of the latest rounds tell the planner how quick devices are. */
export const TAUGHT_BY = 48;

/** The room that would be, as a question to the planner. */
export function questionOf(
  { devices, samples, policy }: WhatIf,
  room: RoomView,
  rounds: readonly RoundReport[],
): PlanQuestion {
  const { settings, host, plan } = room;
  return {
    settings: { ...settings, policy, training: { ...settings.training, samplesPerRound: samples } },
    ...{ host, plan, rounds: rounds.slice(-TAUGHT_BY) },
    // With what each holds of the model: whoever would have to load another part is slower at first.
    devices: room.devices.filter(({ profile }) => profile !== null),
    supposed: devices
      .filter(({ here }) => here)
      .map(({ id, name, like, profile, speed, memory, uplink }) => ({
        ...{ id, name, speed, memory, uplink },
        imagined: like === null ? null : { profile, like },
      })),
  };
}

/** The room that would be, as far as its picture needs it. */
export function roomOf(what: WhatIf, room: RoomView, plan: RoomPlan): RoomView {
  const known = new Map(room.devices.map((device) => [device.id, device]));
  return {
    ...room,
    phase: 'gathering',
    plan,
    settings: { ...room.settings, training: { ...room.settings.training, samplesPerRound: what.samples } },
    devices: what.devices
      .filter(({ here }) => here)
      .map((one): DeviceView => {
        const profile = supposedProfile(one.profile, one);
        const device = known.get(one.id);
        if (device !== undefined) return { ...device, profile };
        return {
          ...{ id: one.id, name: one.name, kind: 'tab', status: { kind: 'ready' }, profile },
          ...{ hidden: false, linked: true, online: true, peerId: null },
        };
      }),
  };
}

/** "0.80 s a round instead of 1.2 s: 33 % less." */
export function comparedSentence(now: number | null, then: number): string {
  if (now === null || now <= 0) return say.aRound(secondsText(then));
  const change = 100 * (then / now - 1);
  if (Math.abs(change) < 0.5) return say.aRoundAsNow(secondsText(then));
  return say.aRoundInsteadOfPercent(
    secondsText(then),
    secondsText(now),
    Math.abs(change).toFixed(0),
    change < 0 ? 'less' : 'more',
  );
}

export function factorText(factor: number): string {
  if (factor === 1) return say.asItWithin;
  return factor > 1 ? `${factor} times` : `1/${Math.round(1 / factor)}`;
}
