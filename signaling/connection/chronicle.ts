import { type Activity, type DeviceView, MAX_GONE, type RoomChange } from '../protocol/room-view.ts';
import type { Extent } from '../protocol/settings.ts';
import { type RoomEvent, type RoomState, roomView } from '../room/room.ts';

/**
 * Which edition of a room changed what. From it follows what to tell anybody, whatever they know already: all that changed after the
 * edition that they have, each thing once and as it is now.
 */
export interface Chronicle {
  edition: number;
  /** The last edition that concerns others than the host. */
  common: number;
  /** The last edition that changed the door, which only the host is told of. */
  entrance: number;
  readonly fields: Record<RoomField, number>;
  readonly devices: Map<string, DeviceEditions>;
  /** Oldest first. */
  readonly gone: { readonly device: string; readonly edition: number }[];
  /** Departures up to this edition are forgotten. */
  forgotten: number;
  /** By the report's round. */
  readonly rounds: Map<number, number>;
  readonly scores: Map<number, number>;
  activity: { readonly edition: number; readonly activity: Activity } | null;
}

const ROOM_FIELDS = ['phase', 'host', 'policy', 'extent', 'plan', 'planNote'] as const;
type RoomField = (typeof ROOM_FIELDS)[number];
const DEVICE_FIELDS = [
  'name',
  'kind',
  'status',
  'hidden',
  'linked',
  'online',
  'peerId',
  'profile',
  'probation',
  'holds',
] as const;
type DeviceField = Exclude<keyof DeviceView, 'id'>;

/** Of each field, and of whichever was the last. */
interface DeviceEditions {
  readonly fields: Record<DeviceField, number>;
  newest: number;
}

/** Editions of reports that the room's history thinned out are forgotten now and then. */
const MAX_REPORT_EDITIONS = 1000;

function fieldOf(state: RoomState, field: RoomField): unknown {
  const { policy, training } = state.settings;
  if (field === 'policy') return policy;
  return field === 'extent' ? training : state[field];
}

const toldOf = (state: RoomState, field: RoomField): unknown =>
  field === 'extent' ? extentOf(state.settings.training) : fieldOf(state, field);

const extentOf = ({ rounds, evaluateEvery }: Extent): Extent => ({ rounds, evaluateEvery });

export function newChronicle(state: RoomState): Chronicle {
  return {
    edition: 1,
    common: 1,
    entrance: 1,
    fields: { phase: 1, host: 1, policy: 1, extent: 1, plan: 1, planNote: 1 },
    devices: new Map(state.devices.map(({ id }) => [id, allOf(1)])),
    gone: [],
    forgotten: 0,
    rounds: new Map(),
    scores: new Map(),
    activity: null,
  };
}

const allOf = (edition: number): DeviceEditions => ({
  fields: {
    name: edition,
    kind: edition,
    status: edition,
    hidden: edition,
    linked: edition,
    online: edition,
    peerId: edition,
    profile: edition,
    probation: edition,
    holds: edition,
  },
  newest: edition,
});

/** Takes down what an event changed; says whether there is anything to tell. */
export function note(chronicle: Chronicle, event: RoomEvent, before: RoomState, after: RoomState): boolean {
  const edition = chronicle.edition + 1;
  let news = false;
  for (const field of ROOM_FIELDS)
    if (fieldOf(before, field) !== fieldOf(after, field)) {
      chronicle.fields[field] = edition;
      news = true;
    }
  if (before.devices !== after.devices) news = noteDevices(chronicle, edition, before, after) || news;
  if (event.type === 'round' || event.type === 'score' || event.type === 'history') {
    noteReports(chronicle, edition, event, after);
    news = true;
  }
  if (news) {
    chronicle.edition = edition;
    chronicle.common = edition;
  }
  return news;
}

/** The newest activity is all that anybody wants to know. */
export function noteActivity(chronicle: Chronicle, activity: Activity): void {
  chronicle.edition += 1;
  chronicle.common = chronicle.edition;
  chronicle.activity = { edition: chronicle.edition, activity };
}

/** The door changed. */
export function noteEntrance(chronicle: Chronicle): void {
  chronicle.edition += 1;
  chronicle.entrance = chronicle.edition;
}

function noteDevices(chronicle: Chronicle, edition: number, before: RoomState, after: RoomState): boolean {
  let news = false;
  const was = new Map(before.devices.map((device) => [device.id, device]));
  for (const device of after.devices) {
    const old = was.get(device.id);
    was.delete(device.id);
    if (old === device) continue;
    const editions = chronicle.devices.get(device.id);
    if (old === undefined || editions === undefined) {
      chronicle.devices.set(device.id, allOf(edition));
      news = true;
    } else
      for (const field of DEVICE_FIELDS)
        if (old[field] !== device[field]) {
          editions.fields[field] = edition;
          editions.newest = edition;
          news = true;
        }
  }
  for (const device of was.keys()) {
    chronicle.devices.delete(device);
    chronicle.gone.push({ device, edition });
    news = true;
  }
  while (chronicle.gone.length > MAX_GONE) chronicle.forgotten = chronicle.gone.shift()?.edition ?? edition;
  return news;
}

function noteReports(
  { rounds, scores }: Chronicle,
  edition: number,
  event: Extract<RoomEvent, { type: 'round' | 'score' | 'history' }>,
  after: RoomState,
): void {
  // A history may fall anywhere among the reports that are there: all are told again, so that editions stay in order of rounds.
  const told = event.type === 'history' ? after.rounds : event.type === 'round' ? [event.report] : [];
  const scored = event.type === 'history' ? after.scores : event.type === 'score' ? [event.report] : [];
  for (const { round } of told) rounds.set(round, edition);
  for (const { round } of scored) scores.set(round, edition);
  prune(rounds, after.rounds);
  prune(scores, after.scores);
}

function prune(editions: Map<number, number>, kept: readonly { readonly round: number }[]): void {
  if (editions.size <= MAX_REPORT_EDITIONS) return;
  const rounds = new Set(kept.map(({ round }) => round));
  for (const round of editions.keys()) if (!rounds.has(round)) editions.delete(round);
}

/** Everything that an edition told or a later one tells, for somebody who knows nothing. */
export function wholeRoom(state: RoomState): RoomChange {
  const { phase, host, plan, planNote, devices, settings } = roomView(state);
  return { phase, host, policy: settings.policy, extent: extentOf(settings.training), plan, planNote, devices };
}

/** What changed after edition `since`; null when only the whole room can tell. */
export function changeSince(chronicle: Chronicle, state: RoomState, since: number): RoomChange | null {
  if (since < chronicle.forgotten || since > chronicle.edition) return null;
  const { fields } = chronicle;
  const gone = [...new Set(chronicle.gone.flatMap(({ device, edition }) => (edition > since ? [device] : [])))];
  const devices = state.devices.flatMap((device) => {
    const editions = chronicle.devices.get(device.id) ?? allOf(chronicle.edition);
    if (editions.newest <= since) return [];
    const entries = DEVICE_FIELDS.flatMap((field) =>
      editions.fields[field] > since ? [[field, device[field]] as const] : [],
    );
    return [{ id: device.id, ...Object.fromEntries(entries) }];
  });
  return {
    ...Object.fromEntries(
      ROOM_FIELDS.flatMap((field) => (fields[field] > since ? [[field, toldOf(state, field)] as const] : [])),
    ),
    ...(gone.length > 0 && { gone }),
    ...(devices.length > 0 && { devices }),
  };
}

/** Reports after edition `since`, oldest first. */
export function reportsSince({ rounds, scores }: Chronicle, state: RoomState, since: number) {
  return { rounds: newer(state.rounds, rounds, since), scores: newer(state.scores, scores, since) };
}

/** The end of the list whose editions are newer: what a room is told in order of its rounds has editions in that order, too. */
function newer<T extends { readonly round: number }>(
  reports: readonly T[],
  editions: ReadonlyMap<number, number>,
  since: number,
): readonly T[] {
  let from = reports.length;
  while (from > 0 && (editions.get(reports[from - 1].round) ?? 0) > since) from -= 1;
  return reports.slice(from);
}
