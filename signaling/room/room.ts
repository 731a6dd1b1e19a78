import type { RoomPlanAnswer, RoomProblem } from '../planner/room-plan.ts';
import type { Measured } from '../protocol/messages.ts';
import type { RelayedPair } from '../protocol/pipeline/split-problem.ts';
import { splitModelOf } from '../protocol/pipeline/split-room.ts';
import type { RoomPlan } from '../protocol/plan.ts';
import type { Profile } from '../protocol/profile.ts';
import type { DeviceStatus, DeviceView, Probation, RoomView, RoundReport, ScoreReport } from '../protocol/room-view.ts';
import type { Extent, Policy, SessionSettings } from '../protocol/settings.ts';
import type { UnitRun } from '../protocol/split.ts';
import { mergedByRound, thinned, withoutOldDetails } from '../protocol/telling/history.ts';
import { freeName } from './free-name.ts';
import { quickerProfile } from './measured-again.ts';
import {
  choosePlan,
  measuredProfile,
  NO_PLANNING,
  observeReport,
  observeTrial,
  type PlanningState,
  provesOne,
  roomProblem,
  withPairs,
} from './planning.ts';
import { isSplitPlan } from './re-layout.ts';

/** A device as the room keeps it: what everyone sees, and the key that proves who it is. */
export interface DeviceRecord extends DeviceView {
  readonly key: string;
  readonly watch: boolean;
}

/**
 * A session on the server, as a fold of events. `changes` counts what makes a plan stale (trainers, profiles, policy), `looks`
 * the rounds after which drift is looked for; `answered` holds the counts that the last planner answer was made for.
 */
export interface RoomState {
  readonly id: string;
  readonly settings: SessionSettings;
  readonly phase: RoomView['phase'];
  readonly host: string;
  /** In order of arrival. */
  readonly devices: readonly DeviceRecord[];
  readonly plan: RoomPlan | null;
  readonly planNote: string | null;
  readonly planVersions: number;
  readonly planning: PlanningState;
  /** Whether plans may use devices on probation, too: without them there is none. */
  readonly everybody: boolean;
  readonly changes: number;
  readonly looks: number;
  readonly answered: { readonly changes: number; readonly looks: number };
  readonly rounds: readonly RoundReport[];
  readonly scores: readonly ScoreReport[];
}

export interface DeviceSelf {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly kind: 'tab' | 'headless';
}

export type RoomEvent =
  | { readonly type: 'joined'; readonly device: DeviceSelf; readonly watch: boolean }
  | { readonly type: 'left'; readonly device: string }
  | { readonly type: 'online'; readonly device: string; readonly online: boolean }
  | { readonly type: 'address'; readonly device: string; readonly peerId: string }
  | { readonly type: 'status'; readonly device: string; readonly status: DeviceStatus }
  | { readonly type: 'hidden'; readonly device: string; readonly hidden: boolean }
  | { readonly type: 'profile'; readonly device: string; readonly profile: Profile; readonly again?: true }
  /** What of the model it has in memory. */
  | { readonly type: 'holds'; readonly device: string; readonly run: UnitRun | null }
  | { readonly type: 'linked'; readonly device: string; readonly linked: boolean }
  /** The host says that a device is on probation, or is back. */
  | {
      readonly type: 'probation';
      readonly device: string;
      readonly probation: Probation | null;
      readonly measured: Measured | null;
    }
  /** The host says between whom it hands on what stages say, as they cannot meet: all such pairs. */
  | { readonly type: 'relayed'; readonly pairs: readonly RelayedPair[] }
  /** Another device is host: the others have to link to it. */
  | { readonly type: 'host'; readonly device: string }
  | { readonly type: 'phase'; readonly phase: RoomView['phase'] }
  | { readonly type: 'policy'; readonly policy: Policy }
  | { readonly type: 'extent'; readonly extent: Extent }
  | { readonly type: 'round'; readonly report: RoundReport }
  | { readonly type: 'score'; readonly report: ScoreReport }
  /** What the host knows of the rounds before this room: it went on with a session, or the server forgot. */
  | { readonly type: 'history'; readonly rounds: readonly RoundReport[]; readonly scores: readonly ScoreReport[] }
  | { readonly type: 'planned'; readonly request: PlanRequest; readonly answer: RoomPlanAnswer };

/** A question for the planner, with what the room looked like when it was asked. */
export interface PlanRequest {
  readonly cause: 'change' | 'drift';
  readonly changes: number;
  readonly looks: number;
  readonly problem: RoomProblem;
}

export function createRoom(id: string, host: DeviceSelf, settings: SessionSettings): RoomState {
  return {
    id,
    settings,
    phase: 'gathering',
    host: host.id,
    devices: [newDevice(host, false, true)],
    plan: null,
    planNote: null,
    planVersions: 0,
    planning: NO_PLANNING,
    everybody: false,
    changes: 0,
    looks: 0,
    answered: { changes: 0, looks: 0 },
    rounds: [],
    scores: [],
  };
}

function newDevice(device: DeviceSelf, watch: boolean, linked: boolean): DeviceRecord {
  const status: DeviceStatus = watch ? { kind: 'watching' } : { kind: 'joining' };
  return {
    ...device,
    watch,
    status,
    hidden: false,
    linked,
    online: true,
    peerId: null,
    profile: null,
    probation: null,
  };
}

/**
 * Devices that a plan may use: measured, with an open link to the host, and not on probation. One that has measured itself on one layer waits
 * for a plan before it fetches anything, and stays in it while it does.
 */
export function trainers({ devices, everybody }: Pick<RoomState, 'devices' | 'everybody'>): readonly Ready[] {
  return devices.filter(isReady).filter((device) => everybody || !isOnProbation(device));
}

const PLANNABLE: ReadonlySet<DeviceStatus['kind']> = new Set(['measured', 'loading', 'ready']);

type Ready = DeviceRecord & { readonly profile: Profile };

const isOnProbation = ({ probation }: DeviceRecord): boolean => (probation ?? null) !== null;

function isReady(d: DeviceRecord): d is DeviceRecord & { readonly profile: Profile } {
  return !d.watch && d.linked && d.profile !== null && PLANNABLE.has(d.status.kind);
}

/** The room after an event. Events about devices that are not (or no longer) in the room change nothing. */
export function apply(state: RoomState, event: RoomEvent): RoomState {
  switch (event.type) {
    case 'joined':
      return withDevices(state, joined(state, event.device, event.watch));
    case 'left': {
      const devices = state.devices.filter((d) => d.id !== event.device);
      return withRelayed(withDevices(state, devices));
    }
    case 'online':
      return update(state, event.device, { online: event.online });
    case 'address':
      return update(state, event.device, { peerId: event.peerId });
    case 'status':
      return update(state, event.device, { status: event.status });
    case 'hidden':
      return update(state, event.device, { hidden: event.hidden });
    case 'profile':
      return event.again
        ? measuredAgain(state, event.device, event.profile)
        : profiled(state, event.device, event.profile);
    case 'holds':
      return update(state, event.device, { holds: event.run });
    case 'linked':
      return update(state, event.device, { linked: event.linked });
    case 'host': {
      // One that is still to come back may be host, too.
      const devices = state.devices.map((d) => ({ ...d, linked: d.id === event.device }));
      return withRelayed(withDevices({ ...state, host: event.device }, devices));
    }
    case 'relayed':
      return withRelayed(state, event.pairs);
    case 'phase':
      return { ...state, phase: event.phase };
    case 'policy':
      return { ...state, settings: { ...state.settings, policy: event.policy }, changes: state.changes + 1 };
    case 'extent':
      return withExtent(state, event.extent);
    case 'probation':
      return stoodOrBack(state, event);
    case 'round':
      return reported(state, event.report);
    case 'score':
      return { ...state, scores: thinned([...before(state.scores, event.report), event.report]) };
    case 'history':
      return {
        ...state,
        rounds: withoutOldDetails(thinned(mergedByRound(state.rounds, event.rounds))),
        scores: thinned(mergedByRound(state.scores, event.scores)),
      };
    case 'planned':
      return planned(state, event.request, event.answer);
  }
}

/** Once a round is done, its learning rate was by the extent that there was. */
function withExtent(state: RoomState, extent: Extent): RoomState {
  if (state.phase !== 'gathering' || state.rounds.length > 0) return state;
  return { ...state, settings: { ...state.settings, training: { ...state.settings.training, ...extent } } };
}

/** A device that measured itself before it fetched anything says so first, and is not ready for that. */
function profiled(state: RoomState, id: string, profile: Profile): RoomState {
  const known = state.devices.find((device) => device.id === id);
  // A new link brings a new profile: whose person wants it to rest goes on resting.
  const keeps = known?.status.kind === 'measured' || known?.status.kind === 'paused';
  const status: DeviceStatus = keeps ? known.status : { kind: 'ready' };
  return update(state, id, { profile, status });
}

/** A device that the plan leaves out: it is no reason to change the plan at once, but to look for a better one. */
function measuredAgain(state: RoomState, id: string, fresh: Profile): RoomState {
  const { settings, planning, plan, phase, looks } = state;
  const known = trainers(state).find((device) => device.id === id);
  if (known === undefined || plan?.assignments.some(({ device }) => device === id)) return state;
  const round = { layers: settings.shape.layers, samples: settings.training.samplesPerRound };
  const profile = quickerProfile(measuredProfile(planning.fits, known), fresh, round);
  if (profile === null) return state;
  // Before the first round nothing is lost by another plan, and nothing would look for one.
  if (plan === null || phase === 'gathering') return update(state, id, { profile });
  return { ...state, devices: state.devices.map((d) => (d.id === id ? { ...d, profile } : d)), looks: looks + 1 };
}

function reported(state: RoomState, report: RoundReport): RoomState {
  const { settings, planning, plan, host } = state;
  const { layers } = settings.shape;
  const trained = trainers(state);
  const fits = observeReport(planning.fits, trained, plan, report, layers, {
    model: splitModelOf(settings),
    host,
  });
  return {
    ...state,
    // A host that went on from a checkpoint tells some rounds again.
    rounds: withoutOldDetails(thinned([...before(state.rounds, report), report])),
    looks: state.looks + 1,
    changes: provesOne(trained, planning.fits, fits, host, layers) ? state.changes + 1 : state.changes,
    planning: { ...planning, fits },
  };
}

function stoodOrBack(state: RoomState, event: Extract<RoomEvent, { type: 'probation' }>): RoomState {
  const { device, probation, measured } = event;
  const known = state.devices.find((d) => d.id === device);
  if (known === undefined) return state;
  const { fits } = state.planning;
  const seen =
    measured === null || known.profile === null
      ? fits
      : observeTrial(fits, { id: device, profile: known.profile }, measured, state.settings.shape.layers);
  const next = update({ ...state, planning: { ...state.planning, fits: seen } }, device, { probation });
  // Measured at last, without having been away: what the plan believed of it may be wrong.
  const wasMeasured = measured !== null && (known.probation ?? null) === null && probation === null;
  return wasMeasured && isReady(known) ? { ...next, changes: next.changes + 1 } : next;
}

const before = <T extends { readonly round: number }>(reports: readonly T[], { round }: T): readonly T[] =>
  reports.filter((report) => report.round < round);

function joined(state: RoomState, device: DeviceSelf, watch: boolean): readonly DeviceRecord[] {
  const known = state.devices.find((d) => d.id === device.id);
  const others = state.devices.filter((d) => d !== known).map((d) => d.name);
  const name = freeName(device.name, others);
  if (known === undefined) return [...state.devices, newDevice({ ...device, name }, watch, false)];
  return state.devices.map((d) => (d === known ? { ...known, name, watch, online: true } : d));
}

function update(state: RoomState, id: string, change: Partial<DeviceRecord>): RoomState {
  if (!state.devices.some((d) => d.id === id)) return state;
  const devices = state.devices.map((d) => (d.id === id ? { ...d, ...change } : d));
  return withDevices(state, devices);
}

/** A plan goes stale when the set of trainers or one of their profiles changes, and on nothing else. */
function withDevices(state: RoomState, devices: readonly DeviceRecord[]): RoomState {
  const before = trainers({ ...state, everybody: false });
  const after = trainers({ devices, everybody: false });
  const same =
    before.length === after.length && before.every((d, i) => d.id === after[i].id && d.profile === after[i].profile);
  return same ? { ...state, devices } : { ...state, devices, everybody: false, changes: state.changes + 1 };
}

/** Other pairs make a plan stale. */
function withRelayed(state: RoomState, pairs = state.planning.relayed): RoomState {
  const planning = withPairs(state.planning, pairs, state);
  return planning === state.planning ? state : { ...state, planning, changes: state.changes + 1 };
}

function planned(state: RoomState, request: PlanRequest, answer: RoomPlanAnswer): RoomState {
  const answered = { changes: request.changes, looks: request.looks };
  // Trainers changed while the planner worked: a look for drift compares fleets that do not exist any more.
  if (request.cause === 'drift' && request.changes !== state.changes) return { ...state, answered };
  // Better late than never.
  const spared = !state.everybody && state.devices.some((device) => isReady(device) && isOnProbation(device));
  if (!answer.feasible && spared) return { ...state, answered, everybody: true, changes: state.changes + 1 };
  const { plan, note, confirmed } = choosePlan(
    { plan: state.plan, note: state.planNote, confirmed: state.planning.confirmed },
    request.cause,
    answer,
    {
      trainers: trainers(state),
      ...{ fits: state.planning.fits, relayed: state.planning.relayed, host: state.host },
      layers: state.settings.shape.layers,
      policy: state.settings.policy,
      split: { model: splitModelOf(state.settings), roundsLeft: roundsLeft(state) },
      nextVersion: state.planVersions + 1,
      rounds: state.rounds,
    },
  );
  return {
    ...state,
    plan,
    planNote: note,
    planVersions: plan === null || plan === state.plan ? state.planVersions : state.planVersions + 1,
    planning: { ...state.planning, confirmed },
    answered,
  };
}

/** What the server should ask the planner for this room, or nothing; a look for drift can wait, where `mayLook` is false. */
export function next(state: RoomState, mayLook = true): PlanRequest | null {
  const { changes, looks, answered } = state;
  const cause = answered.changes !== changes ? 'change' : mayLook && answered.looks !== looks ? 'drift' : null;
  if (cause === null) return null;
  const { settings, host, planning } = state;
  const problem = roomProblem(settings, host, trainers(state), planning.fits, roundsDone(state), planning.relayed);
  // A plan over pipelines has to gain what its devices would have to fetch: paces that drift a little do not make up for that.
  const wholeAlone = cause === 'drift' && state.plan !== null && !isSplitPlan(state.plan);
  return { cause, changes, looks, problem: wholeAlone ? { ...problem, wholeAlone } : problem };
}

const roundsDone = ({ rounds }: RoomState): number => rounds.at(-1)?.round ?? 0;
const roundsLeft = (state: RoomState): number => Math.max(0, state.settings.training.rounds - roundsDone(state));

export function roomView(state: RoomState): RoomView {
  return {
    id: state.id,
    settings: state.settings,
    phase: state.phase,
    host: state.host,
    devices: state.devices.map(({ key: _key, watch: _watch, ...view }) => view),
    plan: state.plan,
    planNote: state.planNote,
  };
}
