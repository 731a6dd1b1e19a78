import { describe, expect, it } from 'vitest';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import { MAX_NAME_LENGTH } from '../../signaling/protocol/limits.ts';
import type { Measured } from '../../signaling/protocol/messages.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { Probation } from '../../signaling/protocol/room-view.ts';
import { refusal } from '../../signaling/room/refusal.ts';
import {
  apply,
  createRoom,
  next,
  type RoomEvent,
  type RoomState,
  roomView,
  trainers,
} from '../../signaling/room/room.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

const device = (id: string) => ({ id, key: `key-of-${id}-0000000000`, name: `Device ${id}`, kind: 'tab' as const });
const play = (state: RoomState, ...events: RoomEvent[]): RoomState => events.reduce(apply, state);
const arrives = (id: string, measured: Profile): RoomEvent[] => [
  { type: 'joined', device: device(id), watch: false },
  { type: 'linked', device: id, linked: true },
  { type: 'profile', device: id, profile: measured },
];
/** Lets the planner answer until it has nothing more to say, as the server does. */
function settle(state: RoomState): RoomState {
  const request = next(state);
  if (request === null) return state;
  return settle(apply(state, { type: 'planned', request, answer: planRoom(request.problem) }));
}
const host = (): RoomState =>
  play(createRoom('abc234', device('host'), SETTINGS), { type: 'profile', device: 'host', profile: profile() });
const owners = (state: RoomState): (string | undefined)[] =>
  Array.from({ length: 6 }, (_, layer) => state.plan?.assignments.find((a) => a.layers.includes(layer))?.device);

describe('a room', () => {
  it('has no question for the planner before a device has measured itself', () => {
    const empty = createRoom('abc234', device('host'), SETTINGS);
    expect(next(empty)).toBeNull();
    const joined = play(
      empty,
      { type: 'joined', device: device('b'), watch: false },
      { type: 'address', device: 'b', peerId: 'p' },
    );
    expect(next(joined)).toBeNull();
  });

  it('gives one device everything, and plans again when a second one is ready', () => {
    const alone = settle(host());
    expect(owners(alone)).toEqual(Array(6).fill('host'));
    expect(alone.plan?.version).toBe(1);
    const two = settle(play(alone, ...arrives('b', profile(1))));
    expect(two.plan?.version).toBe(2);
    expect(new Set(owners(two))).toEqual(new Set(['host', 'b']));
    expect(two.plan?.assignments.filter((a) => a.head)).toHaveLength(1);
  });

  it('plans without a device that its person pauses, whatever it measures meanwhile, and with it when it goes on', () => {
    const status = (kind: 'paused' | 'ready'): RoomEvent => ({ type: 'status', device: 'b', status: { kind } });
    const two = settle(play(host(), ...arrives('b', profile(1))));
    expect(new Set(owners(two))).toEqual(new Set(['host', 'b']));
    const paused = settle(apply(two, status('paused')));
    expect(owners(paused)).toEqual(Array(6).fill('host'));
    const relinked = settle(apply(paused, { type: 'profile', device: 'b', profile: profile(2) }));
    expect(trainers(relinked).map(({ id }) => id)).toEqual(['host']);
    expect(relinked.plan).toBe(paused.plan);
    const back = settle(apply(relinked, status('ready')));
    expect(trainers(back).map(({ id }) => id)).toEqual(['host', 'b']);
    expect(back.plan?.version).toBeGreaterThan(relinked.plan?.version ?? 0);
  });

  it('gives everybody a name of their own, and the same one when they come back', () => {
    const names = (state: RoomState): string[] => roomView(state).devices.map(({ name }) => name);
    const joins = (id: string, name: string): RoomEvent => ({
      type: 'joined',
      device: { ...device(id), name },
      watch: false,
    });
    const long = 'x'.repeat(MAX_NAME_LENGTH);
    const full = play(
      host(),
      joins('b', 'Phone'),
      joins('c', 'phone'),
      joins('d', 'Phone'),
      joins('e', long),
      joins('f', long),
    );
    const expected = ['Device host', 'Phone', 'phone 2', 'Phone 3', long, `${long.slice(2)} 2`];
    expect(names(full)).toEqual(expected);
    expect(names(play(full, joins('c', 'phone'), joins('b', 'Phone')))).toEqual(expected);
  });

  it('plans without a device on probation, with it again when it is back, and with it where nobody else can', () => {
    const two = settle(play(host(), ...arrives('b', profile())));
    const stands = (id: string, probation: Probation | null): RoomEvent => ({
      type: 'probation',
      device: id,
      probation,
      measured: null,
    });
    const spared = settle(apply(two, stands('b', { why: 'late', since: 2, next: 3 })));
    expect(owners(spared)).toEqual(Array(6).fill('host'));
    expect(roomView(spared).devices[1]?.probation).toEqual({ why: 'late', since: 2, next: 3 });
    // A pause that grew changes nothing for the planner.
    expect(next(apply(spared, stands('b', { why: 'late', since: 2, next: 9 })))).toBeNull();
    expect(new Set(owners(settle(apply(spared, stands('b', null)))))).toEqual(new Set(['host', 'b']));
    const needed = settle(
      play(spared, { type: 'status', device: 'host', status: { kind: 'failed', sentence: 'No engine works here.' } }),
    );
    expect(owners(needed)).toEqual(Array(6).fill('b'));
    expect(owners(settle(apply(needed, { type: 'status', device: 'host', status: { kind: 'ready' } })))).toEqual(
      Array(6).fill('host'),
    );
    expect(apply(two, stands('nobody', null))).toEqual(two);
  });

  it('believes what a device was seen to need over what it states, when it comes back', () => {
    const free = { ...profile(), overheadSeconds: 0 };
    const zero = { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 };
    const two = play(host(), ...arrives('b', { ...free, secondsPerSample: zero }), {
      type: 'probation',
      device: 'b',
      probation: null,
      measured: { samples: 2, deepestDepth: 6, computeSeconds: 1.2 },
    });
    const believed = next(two)?.problem.devices[1]?.profile;
    // 0.6 s a sample, in equal parts forward and backward: nothing is known of how they differ.
    expect(believed?.secondsPerSample.backwardPerLayer).toBeCloseTo(0.05, 6);
    expect(believed?.secondsPerSample.forwardPerLayer).toBeCloseTo(0.05, 6);
  });

  it('plans without a device that leaves, loses its link or fails', () => {
    const two = settle(play(host(), ...arrives('b', profile())));
    const events: RoomEvent[] = [
      { type: 'left', device: 'b' },
      { type: 'linked', device: 'b', linked: false },
      { type: 'status', device: 'b', status: { kind: 'failed', sentence: 'Out of memory.' } },
    ];
    for (const event of events) expect(owners(settle(apply(two, event)))).toEqual(Array(6).fill('host'));
  });

  it('keeps a device that lost only the server: its link goes on training', () => {
    const two = settle(play(host(), ...arrives('b', profile())));
    const offline = apply(two, { type: 'online', device: 'b', online: false });
    expect(next(offline)).toBeNull();
    expect(trainers(offline).map((d) => d.id)).toEqual(['host', 'b']);
  });

  it('plans for the others when the host itself cannot train', () => {
    const broken = settle(
      play(host(), ...arrives('b', profile()), {
        type: 'status',
        device: 'host',
        status: { kind: 'failed', sentence: 'No engine works here.' },
      }),
    );
    expect(owners(broken)).toEqual(Array(6).fill('b'));
    expect(settle(apply(broken, { type: 'policy', policy: 'offload' })).planNote).toContain('host does not train');
  });

  it('plans anew for a device that measured itself anew, not for one that says the same again', () => {
    const two = settle(play(host(), ...arrives('b', profile())));
    const known = two.devices[1]!.profile!;
    expect(next(apply(two, { type: 'profile', device: 'b', profile: known }))).toBeNull();
    const again = profile(3);
    const request = next(apply(two, { type: 'profile', device: 'b', profile: again }));
    expect(request?.cause).toBe('change');
    expect(request?.problem.devices.map((one) => one.profile)).toEqual([profile(), again]);
    // One goes and another, as quick as it was, comes at once: as many trainers, but not the same.
    const left = apply(two, { type: 'left', device: 'b' });
    const other = play(left, ...arrives('c', known));
    expect(next({ ...other, answered: { ...other.answered, changes: left.changes } })?.cause).toBe('change');
  });

  it('asks again with those on probation where there is no plan without them, and only then', () => {
    const none = { feasible: false, reason: 'Nobody can.' } as const;
    const answered = (state: RoomState): RoomState => {
      const request = next(state);
      return request === null ? state : apply(state, { type: 'planned', request, answer: none });
    };
    const alone = answered(host());
    expect([next(alone), alone.everybody, alone.planNote]).toEqual([null, false, 'Nobody can.']);
    const stands: RoomEvent = {
      type: 'probation',
      device: 'b',
      probation: { why: 'late', since: 2, next: 3 },
      measured: null,
    };
    const two = play(host(), ...arrives('b', profile()), stands);
    const once = answered(two);
    expect(once.changes).toBeGreaterThan(two.changes);
    expect([once.everybody, next(once)?.problem.devices.map(({ id }) => id)]).toEqual([true, ['host', 'b']]);
    const twice = answered(once);
    expect([twice.everybody, next(twice), twice.planNote]).toEqual([true, null, 'Nobody can.']);
  });

  it('plans anew for a device that was measured without having been away, and not where nothing was measured', () => {
    const two = settle(play(host(), ...arrives('b', profile())));
    const tells = (measured: Measured | null): RoomEvent => ({
      type: 'probation',
      device: 'b',
      probation: null,
      measured,
    });
    const measured = { samples: 2, deepestDepth: 6, computeSeconds: 1.2 };
    expect(next(apply(two, tells(null)))).toBeNull();
    expect(next(apply(two, tells(measured)))?.cause).toBe('change');
  });

  it('never uses watchers', () => {
    const watched = play(
      host(),
      { type: 'joined', device: device('w'), watch: true },
      { type: 'linked', device: 'w', linked: true },
      { type: 'profile', device: 'w', profile: profile() },
    );
    expect(trainers(watched).map((d) => d.id)).toEqual(['host']);
  });

  it('plans anew for a new policy', () => {
    const state = settle(play(host(), ...arrives('b', profile())));
    const changed = settle(apply(state, { type: 'policy', policy: 'offload' }));
    expect(changed.plan?.policy).toBe('offload');
    expect(owners(changed)).toEqual(Array(6).fill('host'));
  });

  it('ends elsewhere where its host says so before the first round, without another plan, and never after it', () => {
    const state = settle(play(host(), ...arrives('b', profile())));
    const extent = { rounds: 62, evaluateEvery: 10 };
    const shorter = apply(state, { type: 'extent', extent });
    expect(shorter.settings.training).toEqual({ ...state.settings.training, ...extent });
    expect([shorter.plan, shorter.changes]).toEqual([state.plan, state.changes]);
    const training = apply(state, { type: 'phase', phase: 'training' });
    expect(apply(training, { type: 'extent', extent })).toBe(training);
  });

  it('says why when nobody can hold the model, and goes on numbering plans afterwards', () => {
    const good = settle(host());
    const small = { ...profile(), memory: { ...profile().memory, limitBytes: 1000 } };
    const stuck = settle(apply(good, { type: 'profile', device: 'host', profile: small }));
    expect(stuck.plan).toBeNull();
    expect(stuck.planNote).toMatch(/depth|memory|hold/i);
    expect(settle(apply(stuck, { type: 'profile', device: 'host', profile: profile() })).plan?.version).toBe(2);
  });

  it('changes its plan for a device that became slow, and not for one slow round', () => {
    const two = settle(play(host(), ...arrives('b', profile())));
    const report = (state: RoomState, round: number, slow: number): RoomEvent => ({
      type: 'round',
      report: {
        round,
        planVersion: state.plan?.version ?? 1,
        loss: 1,
        learningRate: 1e-3,
        gradientNorm: 1,
        elapsedSeconds: 1,
        reassigned: 0,
        devices: (state.plan?.assignments ?? []).map((a) => ({
          device: a.device,
          samples: a.samples.count,
          deepestDepth: 6 - Math.min(...a.layers),
          computeSeconds: a.computeSeconds * (a.device === 'b' ? slow : 1),
          uploadSeconds: 0,
          uploadBits: a.uploadBits,
        })),
      },
    });
    const rounds = (state: RoomState, from: number, paces: number[]): RoomState =>
      paces.reduce((s, pace, i) => settle(apply(s, report(s, from + i, pace))), state);
    const hiccup = rounds(two, 1, [1, 1, 6, 1, 1, 1]);
    const work = ({ plan }: RoomState) =>
      plan?.assignments.map(({ device, layers, samples }) => [device, layers, samples]);
    expect(work(hiccup)).toEqual(work(two));
    const slow = rounds(hiccup, 7, Array(12).fill(6));
    expect(work(slow)).not.toEqual(work(two));
    expect(slow.plan?.latencySeconds).toBeGreaterThan(two.plan?.latencySeconds ?? 0);
  });

  it('lets a tab come back under its own id only with its key', () => {
    const state = host();
    expect(refusal(state, device('host'))).toBeNull();
    expect(refusal(state, { ...device('host'), key: 'somebody-elses-key' })).toContain('already uses this device id');
    const again = apply(state, { type: 'joined', device: { ...device('host'), name: 'New name' }, watch: false });
    expect(again.devices).toHaveLength(1);
    expect(again.devices[0]).toMatchObject({ name: 'New name', status: { kind: 'ready' } });
  });

  it('is full at 64 devices', () => {
    const full = Array.from({ length: 63 }, (_, i) => device(`d${i}`)).reduce(
      (s, d) => apply(s, { type: 'joined', device: d, watch: true }),
      host(),
    );
    expect(refusal(full, device('late'))).toContain('full');
    expect(refusal(full, device('d5'))).toBeNull();
  });

  it('shows nobody a key', () => {
    expect(JSON.stringify(roomView(host()))).not.toContain('key-of');
  });
});
