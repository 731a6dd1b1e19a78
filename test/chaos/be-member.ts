import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { PLAIN_TRAINING } from '../../signaling/protocol/settings.ts';
import { readInvitation } from '../../web/session/links/link-address.ts';
import { joinSession, ownSession } from '../../web/session/members.ts';
import { resumeSession } from '../../web/session/resume-session.ts';
import type { HostSession, Session, SessionView } from '../../web/session/view/view.ts';
import type { SessionEnvironment } from '../../web/session/world/environment.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import type { Phase } from './cells.ts';
import { ChangedWorld } from './changed-world.ts';
import type { MemberRequest, RoomRequest } from './member-request.ts';
import type { Act, Order, Said } from './messages.ts';

export interface MemberWorld {
  readonly real: SessionEnvironment;
  readonly say: (said: Said) => void;
  /** What was kept of the session that this member held before it was killed. */
  readonly kept: () => Promise<{ readonly bytes: Uint8Array; readonly key: string | null }>;
  /** There is nothing more to do. */
  readonly end: () => void;
}

/** A member of a session, whatever becomes of it, in a process or a tab; answers what it is told by. */
export async function beMember(
  { origin, name, part }: MemberRequest,
  { real, say, kept, end }: MemberWorld,
): Promise<(order: Order) => void> {
  let waiting = 0;
  const held = new Map<number, (act: Act) => void>();
  const armed = new Map<Phase, number>();
  const hold = (tell: (id: number) => Said): Promise<Act> =>
    new Promise((resolve) => {
      waiting++;
      held.set(waiting, resolve);
      say(tell(waiting));
    });

  const world = new ChangedWorld(real, {
    next: async (round) => void (await hold((id) => ({ say: 'next', id, round }))),
    at: async (phase, round) => {
      const from = armed.get(phase);
      if (from === undefined || round < from) return { act: 'go' };
      armed.delete(phase);
      return hold((id) => ({ say: 'at', id, phase, round }));
    },
    held: (round) => say({ say: 'held', round }),
  });
  const { environment } = world;

  async function opened(): Promise<{ session: Session; host: HostSession | null }> {
    switch (part.kind) {
      case 'host': {
        const { policy, audits } = part.room;
        const options = { name, policy, audits, slowdown: 1, patience: 0 };
        const host = ownSession(environment, requestOf(part.room, origin), options);
        return { session: host, host };
      }
      case 'return': {
        const host = await resumeSession(environment, await kept(), null);
        return { session: host, host };
      }
      case 'device': {
        const invitation = readInvitation(part.link);
        if (!invitation.ok) throw new Error(invitation.sentence);
        return { session: joinSession(environment, invitation, { name, slowdown: 1, watch: false }), host: null };
      }
    }
  }

  let { session, host } = await opened();

  /** What was said of the session so far, so that everything is said once. */
  let told = { notice: 0, view: '', link: '' };
  const known = new Set<string>();
  let admitted = new Set<string>();
  const follow = (of: Session): void => {
    told = { ...told, notice: 0 };
    for (const report of of.view.rounds) known.add(keyOf(report));
    const look = (view: SessionView): void => {
      tellRounds(view);
      admit(view);
      for (const { id, sentence } of view.notices) {
        if (id <= told.notice) continue;
        told.notice = id;
        say({ say: 'notice', sentence });
      }
      const link = view.invitation?.link ?? '';
      if (link !== '' && link !== told.link) say({ say: 'link', link });
      told.link = link;
      tellView(view);
      if (view.ended !== null) void endSoon();
    };
    of.subscribe(look);
    of.onSuccessor?.((next) => {
      session = next.session;
      host = next.host;
      follow(next.session);
    });
    look(of.view);
  };

  /** Whoever waits at the door, each time once. */
  function admit({ role, waiting: atDoor }: SessionView): void {
    const before = admitted;
    // First, because letting somebody in may change the view again.
    admitted = new Set(atDoor.map(({ id }) => id));
    if (role === 'host') for (const { id } of atDoor) if (!before.has(id)) host?.entrance.admit(id);
  }

  /** A host's own; who follows it has the others' reports again. */
  function tellRounds({ role, rounds }: SessionView): void {
    for (const report of rounds) {
      const { round, loss, elapsedSeconds: seconds } = report;
      if (known.has(keyOf(report))) continue;
      known.add(keyOf(report));
      if (role === 'host') say({ say: 'round', round, loss, seconds });
    }
  }

  /** A session that has a successor is told of it at once; one that has not is over, and so is its process. */
  async function endSoon(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (session.view.ended !== null) end();
  }

  function tellView(view: SessionView): void {
    const { role, self, server, room, ended, status, scores } = view;
    const plan = new Set(room?.plan?.assignments.map(({ device }) => device));
    const said: Said = {
      say: 'view',
      view: {
        ...{ role, self, server, ended, status: status.kind, scores: scores.length },
        host: room?.host ?? null,
        phase: room?.phase ?? null,
        devices: (room?.devices ?? []).map(({ id, name, online, linked, status, profile, probation }) => ({
          ...{ id, name, online, linked, planned: plan.has(id) },
          ready: status.kind === 'ready' && profile !== null,
          probation: probation != null,
        })),
      },
    };
    const text = JSON.stringify(said);
    if (text !== told.view) say(said);
    told.view = text;
  }

  async function exported(): Promise<void> {
    try {
      const files = await host?.exportAdapter('last');
      say({ say: 'exported', files: files?.length ?? 0, error: host === null ? 'This is no host.' : null });
    } catch (error) {
      say({ say: 'exported', files: 0, error: error instanceof Error ? error.message : String(error) });
    }
  }

  function obey(order: Order): void {
    switch (order.do) {
      case 'start':
        host?.start();
        return;
      case 'arm':
        armed.set(order.phase, order.round);
        return;
      case 'disarm':
        armed.delete(order.phase);
        return;
      case 'go':
        held.get(order.id)?.(order.act);
        held.delete(order.id);
        return;
      case 'act':
        world.act(order.act);
        return;
      case 'lie':
        world.lie(order.lie);
        return;
      case 'export':
        void exported();
        return;
      case 'history': {
        const { rounds, scores } = session.view;
        const plain = rounds.map(({ round, loss, elapsedSeconds }) => ({ round, loss, seconds: elapsedSeconds }));
        say({ say: 'history', rounds: plain, scores: scores.map(({ round }) => round) });
        return;
      }
      case 'leave':
        session.leave();
    }
  }

  follow(session);
  return obey;
}

const requestOf = (
  { rounds, samplesPerRound, evaluateEvery, learningRate }: RoomRequest,
  origin: string,
): HostRequest => ({
  model: { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  task: { id: 'grammar', endpoint: origin },
  lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
  training: {
    ...PLAIN_TRAINING,
    ...{ rounds, samplesPerRound, evaluateEvery, learningRate },
    ...{ maxTokens: 32, weightDecay: 0.01, warmupFraction: 0.1, dropout: 0.1, seed: 7 },
  },
  origin,
});

const keyOf = ({ round, loss, elapsedSeconds }: RoundReport): string => `${round} ${loss} ${elapsedSeconds}`;
