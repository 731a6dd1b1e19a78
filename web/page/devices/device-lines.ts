import { isCheckable } from '../../../signaling/protocol/pipeline/checkers.ts';
import { LOCAL_LINK_BITS_PER_SECOND, type Profile } from '../../../signaling/protocol/profile.ts';
import type {
  DeviceStatus,
  DeviceView,
  Probation,
  RoomView,
  RoundReport,
  Transfer,
} from '../../../signaling/protocol/room-view.ts';
import { blocksText } from '../../../signaling/protocol/words/lists.ts';
import {
  byteRateText,
  bytesText,
  flopsText,
  percentText,
  rateText,
  secondsText,
  timeLeftText,
} from '../../../signaling/protocol/words/quantities.ts';
import { runText } from '../../../signaling/protocol/words/units.ts';
import type { LinkState } from '../../session/transport/link-state.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/devices.ts';
import { hasWork } from '../cloth/cloth.ts';
import { type Mark, markFor, type Seats } from '../cloth/marks.ts';
import { measuredSeconds, totalSeconds } from '../cloth/timing.ts';
import { isSplit } from '../pipeline/pipeline.ts';

/** `problem` needs attention, `busy` gets ready, `quiet` stands by or watches, `well` works or can. */
export type Tone = 'well' | 'busy' | 'quiet' | 'problem';

export interface DeviceLine {
  readonly id: string;
  /** Null for a watcher, which has no thread. */
  readonly mark: Mark | null;
  readonly name: string;
  /** "you", "host", "headless". */
  readonly tags: readonly string[];
  readonly status: string;
  readonly tone: Tone;
  /** Predicted and measured seconds, in short phrases; empty without work. */
  readonly facts: readonly string[];
  /** What it measured of itself; empty before. */
  readonly profile: readonly string[];
  /** Six digits for the host to compare with its screen's; null where there is nothing to compare. */
  readonly digits: string | null;
  /** Whether the host's person may give it their own table. */
  readonly mayBeGiven: boolean;
}

/** `tables`: to whom the host's person gave their own; null for a public task, and for others than the host. */
export function deviceLines(
  room: RoomView,
  self: string,
  rounds: readonly RoundReport[],
  seats: Seats,
  proofs: SessionView['proofs'] = {},
  links: SessionView['links'] = {},
  tables: SessionView['tables'] | null = null,
): readonly DeviceLine[] {
  const { devices, plan, settings } = room;
  const isChecked = (id: string): boolean => plan !== null && isCheckable(id, devices, plan, settings);
  return room.devices.map((device) => {
    const proof = proofs[device.id];
    const { status, tone } = deviceStatus(device, room);
    return {
      id: device.id,
      mark: device.status.kind === 'watching' ? null : markFor(seats, device.id),
      name: device.name,
      tags: [
        ...(device.id === self ? ['you'] : []),
        ...(device.id === room.host ? ['host'] : []),
        ...(device.kind === 'headless' ? ['headless'] : []),
        ...(proof?.proof === 'not proven' ? ['not proven'] : []),
        ...(proof?.proof === 'compared' ? ['compared'] : []),
        ...(tables?.[device.id] === 'held' ? [say.hasTheTable] : []),
        ...(tables?.[device.id] === 'coming' ? [say.isGivenTheTable] : []),
        ...(isOnProbation(device) ? [say.onProbation] : []),
        // Nobody else has the memory to compute its run again.
        ...(stageOf(device, room) !== undefined && device.id !== room.host && !isChecked(device.id)
          ? ['unaudited']
          : []),
      ],
      status,
      tone,
      facts: facts(device, room, rounds),
      profile: [...(device.profile === null ? [] : profileWords(device.profile)), ...linkWords(links[device.id])],
      digits: proof?.digits ?? null,
      mayBeGiven: tables !== null && tables[device.id] === undefined && proof?.proof === 'secret',
    };
  });
}

/** Rooms up to this size are listed whole. */
export const LISTED = 12;

/** Splits a long list: who works, gets ready or has a problem is shown, and this device itself; the rest is folded away. */
export function foldedLines(lines: readonly DeviceLine[]): {
  readonly shown: readonly DeviceLine[];
  readonly folded: readonly DeviceLine[];
} {
  if (lines.length <= LISTED) return { shown: lines, folded: [] };
  const shows = (line: DeviceLine) => line.tone !== 'quiet' || line.tags.includes('you');
  return { shown: lines.filter(shows), folded: lines.filter((line) => !shows(line)) };
}

/** An ordered list of rules: the first that applies says what the device does. */
export function deviceStatus(device: DeviceView, room: RoomView): { readonly status: string; readonly tone: Tone } {
  const { status } = device;
  if (status.kind === 'failed') return { status: say.cannotGo(status.sentence), tone: 'problem' };
  if (!device.online && !device.linked) return { status: say.lostItsConnectionItMay, tone: 'problem' };
  if (status.kind === 'watching')
    return { status: device.online ? 'watching' : say.watchingConnectionLost, tone: 'quiet' };
  if (status.kind === 'joining') return { status: 'joining', tone: 'busy' };
  if (status.kind === 'loading') {
    const stage = stageOf(device, room);
    const what = stage === undefined ? say.theModel : runText(stage, room.settings.shape.layers);
    return { status: say.loading(what, loadedText(status)), tone: 'busy' };
  }
  if (status.kind === 'measured') return { status: measuredText(device, room), tone: 'busy' };
  if (status.kind === 'profiling') return { status: say.measuringItsSpeed, tone: 'busy' };
  if (status.kind === 'paused') return { status: say.pausedByItsPerson, tone: 'quiet' };
  if (!device.linked) return { status: say.readyButItsLink, tone: 'problem' };
  if (device.probation != null && room.phase !== 'finished')
    return { status: probationText(device.probation), tone: 'problem' };
  const work = `${workOf(device, room)}${device.online ? '' : say.lostTheServerStillLinked}`;
  if (work.startsWith('stands by')) return { status: work, tone: 'quiet' };
  return device.hidden && room.phase !== 'finished'
    ? { status: say.itsTab(work), tone: 'problem' }
    : { status: work, tone: 'well' };
}

const stageOf = ({ id }: DeviceView, { plan }: RoomView) =>
  plan?.assignments.find(({ device }) => device === id)?.stage;

function measuredText(device: DeviceView, room: RoomView): string {
  const stage = stageOf(device, room);
  return stage === undefined
    ? say.measuredWaitsToBeTold
    : say.measuredIsToHold(runText(stage, room.settings.shape.layers));
}

const isOnProbation = ({ probation }: DeviceView): boolean => probation != null;

/** Why nobody waits for a device, and when it can change that. */
function probationText({ why, since, next }: Probation): string {
  const what = why === 'late' ? say.didNotDeliverInTime : say.failedAgainAndAgain;
  return say.upToRoundOthersDo(what, since, next);
}

function loadedText({ done, total, transfer }: Extract<DeviceStatus, { kind: 'loading' }>): string {
  if (transfer !== undefined) return `: ${transferText(transfer)}`;
  return total > 0 ? `, ${percentText(done / total)}` : '';
}

/** How far a download is: "120 MB of 331 MB, 8.2 MB/s, about 30 s left". */
export function transferText({ bytes, totalBytes, bytesPerSecond, secondsLeft }: Transfer): string {
  if (bytes >= totalBytes) return say.areHere(bytesText(totalBytes));
  const out = [say.ofWord(bytesText(bytes), bytesText(totalBytes))];
  if (bytesPerSecond > 0) out.push(byteRateText(bytesPerSecond));
  if (secondsLeft !== null) out.push(`${timeLeftText(secondsLeft)} left`);
  return out.join(', ');
}

function workOf(device: DeviceView, room: RoomView): string {
  const assignment = room.plan?.assignments.find((one) => one.device === device.id);
  if (room.plan === null) return 'ready';
  const { layers } = room.settings.shape;
  const stage = assignment?.stage;
  if (stage !== undefined && assignment !== undefined && !hasWork(assignment))
    return say.hasSamplesGoThrough(runText(stage, layers));
  if (isSplit(room.plan) && stage === undefined)
    return say.standsByThisPlan(device.holds ? say.itHolds(runText(device.holds, layers)) : '');
  if (assignment === undefined || !hasWork(assignment)) return say.standsByThisPlanIsQuickerWithout;
  const what = blocksText(assignment.layers, assignment.head);
  const all = assignment.samples.count >= room.settings.training.samplesPerRound;
  const part = all ? '' : say.forOfSamples(assignment.samples.count, room.settings.training.samplesPerRound);
  const verb = { gathering: say.willTrain, training: 'trains', paused: say.pausedTrains, finished: 'trained' }[
    room.phase
  ];
  const holds = stage === undefined ? '' : say.holds(runText(stage, layers));
  return `${verb} ${what}${part}${holds}`;
}

function facts(device: DeviceView, room: RoomView, rounds: readonly RoundReport[]): readonly string[] {
  const out: string[] = [];
  const { plan } = room;
  const assignment = plan?.assignments.find((one) => one.device === device.id && hasWork(one));
  if (plan !== null && assignment !== undefined) {
    const measured = measuredSeconds(rounds, plan.version, device.id);
    out.push(say.predicted(secondsText(assignment.computeSeconds + assignment.uploadSeconds)));
    if (measured !== null) out.push(say.measured(secondsText(totalSeconds(measured))));
  }
  return out;
}

/** How the host reaches a device: "direct link, 12 ms, 3.1 Mbit/s out, 0.4 Mbit/s in"; empty where the browser does not tell. */
export function linkWords(link: LinkState | undefined): readonly string[] {
  if (link === undefined) return [];
  const parts = [link.way === 'relayed' ? say.linkThroughARelay : say.directLink];
  if (link.roundTripMs !== null) parts.push(say.msThereAndBack(Math.round(link.roundTripMs)));
  if (link.sentBitsPerSecond >= 1000) parts.push(`${rateText(link.sentBitsPerSecond)} out`);
  if (link.receivedBitsPerSecond >= 1000) parts.push(`${rateText(link.receivedBitsPerSecond)} in`);
  return [parts.join(', ')];
}

/** What a device measured of itself: "12 GFLOP/s", "30 GB/s", "may take 1.5 GB", "48 Mbit/s to the host", and what ran it. */
export function profileWords({ linkBitsPerSecond, memory, ...profile }: Profile): readonly string[] {
  return [
    flopsText(profile.flopsPerSecond),
    byteRateText(profile.memoryBytesPerSecond),
    say.mayTake(bytesText(memory.limitBytes)),
    linkBitsPerSecond >= LOCAL_LINK_BITS_PER_SECOND ? say.noLinkNeeded : say.toTheHost(rateText(linkBitsPerSecond)),
    say.on(profile.engine, profile.backend),
  ];
}
