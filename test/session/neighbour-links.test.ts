import { afterEach, describe, expect, it } from 'vitest';
import type { DataMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import type { DeviceView, RoomView } from '../../signaling/protocol/room-view.ts';
import { openLink } from '../../web/session/links/open-link.ts';
import { tensorSizes } from '../../web/session/links/tensor-sizes.ts';
import { besideInPlan, wantedLinks } from '../../web/session/stages/cuts/neighbours.ts';
import { NeighbourLinks } from '../../web/session/stages/neighbour-links.ts';
import type { StageSeat } from '../../web/session/stages/stage-seat.ts';
import { address, endPeers } from './real-peers.ts';
import { seatOf, settings } from './stage-scene.ts';

const SECRET = new Uint8Array(32).fill(7);
const HOST = 'hosthost';

const deviceView = (id: string): DeviceView => ({
  id,
  name: id,
  kind: 'headless',
  status: { kind: 'ready' },
  hidden: false,
  linked: true,
  online: true,
  peerId: `peer-${id}`,
  profile: null,
});

/** A plan whose stages are these devices', from the embeddings up. */
function planOf(...devices: string[]): RoomPlan {
  return {
    version: 1,
    policy: 'split',
    solver: '',
    solveMs: 0,
    latencySeconds: 1,
    lowerBoundSeconds: 0,
    limitedBy: devices[0]!,
    explanation: '',
    assignments: devices.map((device, index) => ({
      device,
      layers: [],
      head: false,
      samples: { start: 0, count: 6 },
      microBatch: 2,
      memoryBytes: 0,
      share: 1,
      uploadBits: 0,
      computeSeconds: 0,
      uploadSeconds: 0,
      stage: { pipeline: 0, index, from: index, to: index + 1, window: 1, microBatches: 4 },
    })),
  };
}

const roomOf = (plan: RoomPlan | null, ids: readonly string[]): RoomView => ({
  id: 'abc234',
  settings,
  phase: 'training',
  host: HOST,
  devices: [HOST, ...ids].map(deviceView),
  plan,
  planNote: null,
});

const hidden = (from: string, to: string): DataMessage<'hidden'> => ({
  header: {
    type: 'hidden',
    from,
    to,
    of: { term: 1, round: 1, pipeline: 0, epoch: 1 },
    stage: 1,
    microBatch: 0,
    direction: 'up',
    codec: 'f32',
    scale: 1,
  },
  tensors: [new Float32Array(settings.shape.hiddenSize)],
});

let server = 0;
const members: Member[] = [];

class Member {
  readonly seat: StageSeat;
  readonly links: NeighbourLinks;
  readonly heard: string[] = [];
  readonly #scene: Scene;

  constructor(id: string, scene: Scene, at: Awaited<ReturnType<typeof address>>, proofKey: Uint8Array | null) {
    this.#scene = scene;
    this.seat = seatOf(id);
    const receive = this.seat.receive.bind(this.seat);
    this.seat.receive = (message, device) => {
      this.heard.push(`${device} ${message.header.microBatch}`);
      receive(message, device);
      scene.look();
    };
    this.links = new NeighbourLinks({
      exchange: { attach: () => undefined },
      self: id,
      stages: this.seat,
      room: () => this.#scene.room,
      address: at,
      proofKey,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      onProblem: () => undefined,
      onBeside: () => undefined,
    });
  }
}

class Scene {
  room: RoomView;
  readonly members = new Map<string, Member>();
  readonly server = `neighbours-${++server}`;
  #watching: { condition: () => boolean; resolve: () => void }[] = [];
  readonly #timer = setInterval(() => this.look(), 20);

  constructor(plan: RoomPlan, ids: readonly string[]) {
    this.room = roomOf(plan, ids);
  }

  async join(id: string, proofKey: Uint8Array | null = SECRET): Promise<Member> {
    let member: Member | null = null;
    const at = await address(this.server, `peer-${id}`, (incoming) => void member?.links.accept(incoming));
    member = new Member(id, this, at, proofKey);
    this.members.set(id, member);
    members.push(member);
    return member;
  }

  tell(plan: RoomPlan | null): void {
    this.room = { ...this.room, plan };
    for (const { links } of this.members.values()) links.changed();
  }

  linked(id: string): string[] {
    return [...(this.members.get(id)?.links.linked ?? [])].sort();
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#watching.push({ condition, resolve });
      this.look();
    });
  }

  look(): void {
    this.#watching = this.#watching.filter(({ condition, resolve }) => {
      if (!condition()) return true;
      resolve();
      return false;
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

const scenes: Scene[] = [];
afterEach(() => {
  for (const member of members.splice(0)) member.links.close();
  for (const scene of scenes.splice(0)) scene.close();
  endPeers();
});

async function scene(plan: RoomPlan, ids: readonly string[]): Promise<Scene> {
  const made = new Scene(plan, ids);
  scenes.push(made);
  for (const id of ids) await made.join(id);
  for (const { links } of made.members.values()) links.changed();
  return made;
}

const [A, B, C] = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'];

describe('who is beside whom', () => {
  it('is whoever has the stages below and above in the same pipeline', () => {
    const plan = planOf(A, B, C);
    expect([A, B, C, 'dddddddd'].map((self) => besideInPlan(plan, self))).toEqual([
      { below: null, above: B },
      { below: A, above: C },
      { below: B, above: null },
      { below: null, above: null },
    ]);
    expect(besideInPlan(null, A)).toEqual({ below: null, above: null });
  });

  it('needs a link, but for the host, which has one already', () => {
    const beside = { below: A, above: C };
    expect([...wantedLinks([beside], { self: B, host: HOST })]).toEqual([
      [A, 'below'],
      [C, 'above'],
    ]);
    expect([...wantedLinks([beside], { self: B, host: C })]).toEqual([[A, 'below']]);
    expect([...wantedLinks([beside], { self: B, host: B })]).toEqual([]);
  });
});

describe('links to neighbours, over real WebRTC', () => {
  it('are those of the plan, and go when the plan is another', async () => {
    const made = await scene(planOf(A, B, C), [A, B, C]);
    await made.until(() => made.linked(B).length === 2 && made.linked(A).length === 1 && made.linked(C).length === 1);
    expect([made.linked(A), made.linked(B), made.linked(C)]).toEqual([[B], [A, C], [B]]);
    const { links } = made.members.get(A)!;
    expect(links.send(hidden(A, C))).toBeNull();
    await links.send(hidden(A, B));
    await made.until(() => made.members.get(B)!.heard.length === 1);
    expect(made.members.get(B)!.heard).toEqual([`${A} 0`]);
    made.tell(planOf(B, A));
    await made.until(() => made.linked(C).length === 0 && made.linked(B).join() === A && made.linked(A).join() === B);
    made.tell(null);
    await made.until(() => made.linked(A).length === 0 && made.linked(B).length === 0);
  });

  it('are refused to whoever is not beside, and to whoever cannot prove the secret', async () => {
    const made = await scene(planOf(A, B), [A, B]);
    await made.until(() => made.linked(A).length === 1);
    const stranger = await address(made.server, `peer-${C}`);
    made.room = roomOf(made.room.plan, [A, B, C]);
    const before = made.linked(B);
    // Its connection is kept for a while, in case that the plan puts it there, and nothing is said over it.
    const connection = await stranger.connect(`peer-${B}`);
    expect(connection.early()).toEqual([]);
    // Somebody with the address of a neighbour and without its secret.
    const wrong = await address(made.server, 'peer-dddddddd');
    made.room = { ...made.room, devices: [...made.room.devices, deviceView('dddddddd')] };
    made.tell(planOf('dddddddd', B));
    const second = await wrong.connect(`peer-${B}`);
    const opening = openLink(
      second,
      tensorSizes(settings),
      {
        own: 'device',
        room: 'abc234',
        host: B,
        device: 'dddddddd',
        keys: { secret: new Uint8Array(32).fill(9) },
        expected: true,
      },
      (length) => new Uint8Array(length).fill(1),
    );
    await expect(opening).rejects.toThrow();
    expect(connection.early()).toEqual([]);
    expect(before).toEqual([A]);
    expect(made.linked(B)).toEqual([]);
  });

  it('end where a neighbour speaks for another device, or says what only a host says', async () => {
    const made = await scene(planOf(A, B), [A, B]);
    await made.until(() => made.linked(A).length === 1 && made.linked(B).length === 1);
    const { links } = made.members.get(A)!;
    void links.send(hidden(C, B));
    await made.until(() => made.linked(B).length === 0);
    // It is tried again after a while.
    await made.until(() => made.linked(B).length === 1 && made.linked(A).length === 1);
    const again: string[] = [];
    for (const id of [A, B]) {
      const { seat } = made.members.get(id)!;
      seat.again = (device) => void again.push(`${id} to ${device}`);
    }
    const broken = hidden(A, B);
    broken.tensors[0]?.fill(Number.NaN);
    void links.send(broken);
    // Both say everything of the round again, by way of the host.
    await made.until(() => again.length === 2);
    expect(again.sort()).toEqual([`${A} to ${B}`, `${B} to ${A}`]);
    // Nothing but what was said in another's name was heard over the link.
    expect(made.members.get(B)!.heard).toEqual([`${A} 0`]);
  });
});
