import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { DeviceStatus, RoomView } from '../../../signaling/protocol/room-view.ts';
import { holdsRun, type UnitRun } from '../../../signaling/protocol/split.ts';
import * as say from '../../words/session/stages.ts';
import type { Measured } from '../rounds/model-worker.ts';
import type { TrainerSeat } from '../rounds/trainer-seat.ts';
import { messageOf } from '../world/with-progress.ts';
import type { StageSeat } from './stage-seat.ts';
import { runWorthHaving } from './worth-having.ts';

export interface HolderContext {
  readonly self: string;
  readonly seat: TrainerSeat;
  readonly stages: StageSeat;
  readonly slowdown: number;
  readonly room: () => RoomView | null;
  /** The profile is new, but for the link. */
  readonly onMeasured: (measured: Measured) => void;
  readonly onHolds: (run: UnitRun | null) => void;
  /** What the device would say of itself now, where its link is up. */
  readonly onStanding: (status: DeviceStatus) => void;
  readonly onFailed: (sentence: string) => void;
}

/** The run that a plan has for a device; null where it has none, or does not split the model. */
export function runFor(plan: RoomPlan | null, device: string): UnitRun | null {
  const stage = plan?.assignments.find((assignment) => assignment.device === device)?.stage;
  return stage === undefined ? null : { from: stage.from, to: stage.to };
}

const isSame = (a: UnitRun, b: UnitRun | null): boolean => a.from === b?.from && a.to === b.to;

/**
 * What of the model this device holds. In a room that may split it, and where the whole is too large, the device measures itself on one layer
 * before it fetches anything, waits for a plan, and holds its run; elsewhere it holds the whole.
 */
export class RunHolder {
  readonly #context: HolderContext;
  /** Null until it is known which of the two this device is. */
  #mode: 'whole' | 'part' | null = null;
  #beginning = false;
  /** The run that is being fetched. */
  #fetching: UnitRun | null = null;
  /** The last run that could not be held. */
  #refused: UnitRun | null = null;
  /** The whole model's weights are more than training may take here. */
  #isTooLarge = false;
  /** Runs that were brought onto the disk, as far as that went. */
  readonly #prefetched = new Set<string>();
  #isPrefetching = false;
  #over = false;

  constructor(context: HolderContext) {
    this.#context = context;
    context.seat.model.onHolds((run) => {
      if (this.#over) return;
      context.onHolds(run);
      if (this.#mode === 'part' && run !== null) context.onStanding({ kind: 'ready' });
    });
  }

  begin(): void {
    this.#beginning = true;
    this.#mode = null;
    this.#measure()
      .catch((error: unknown) => {
        if (!this.#over) this.#context.onFailed(messageOf(error).slice(0, 400) || say.theModelDidNotLoad);
      })
      .finally(() => {
        this.#beginning = false;
        this.roomChanged();
      });
  }

  roomChanged(): void {
    const { room, self, seat } = this.#context;
    const run = runFor(room()?.plan ?? null, self);
    if (this.#over || this.#beginning || this.#mode !== 'part') return;
    if (run !== null && !holdsRun(seat.model.holds, run)) {
      if (!isSame(run, this.#refused)) void this.#hold(run);
    } else if (run === null && this.#wants === 'whole' && !this.#isTooLarge) this.#becomeWhole();
    else if (run === null && seat.model.holds === null) void this.#prefetch();
  }

  /** What a device that is measured would say of itself. */
  get standing(): DeviceStatus {
    return this.#mode === 'part' && this.#context.seat.model.holds === null ? { kind: 'measured' } : { kind: 'ready' };
  }

  close(): void {
    this.#over = true;
  }

  /** What the room's policy needs of a device that could hold everything. */
  get #wants(): 'whole' | 'part' {
    const { room, seat } = this.#context;
    const policy = room()?.settings.policy ?? seat.model.settings.policy;
    return policy === 'split' ? 'part' : 'whole';
  }

  async #measure(): Promise<void> {
    const { seat, slowdown, onMeasured, onStanding } = this.#context;
    const { model } = seat;
    const policy = this.#context.room()?.settings.policy ?? model.settings.policy;
    const isPart = this.#wants === 'part' || (policy === 'auto' && !(await model.fits()));
    if (isPart) {
      const measured = await model.measure(slowdown);
      this.#mode = 'part';
      if (this.#over) return;
      onMeasured(measured);
      onStanding({ kind: 'measured' });
      return;
    }
    const measured = await seat.prepare(slowdown);
    this.#mode = 'whole';
    if (this.#over) return;
    onMeasured(measured);
    onStanding({ kind: 'ready' });
  }

  /** What is under way under the plan before comes to its end first. */
  async #hold(run: UnitRun): Promise<void> {
    if (isSame(run, this.#fetching)) return;
    this.#fetching = run;
    const { stages, seat, room, self } = this.#context;
    try {
      await stages.quiet();
      const now = runFor(room()?.plan ?? null, self);
      if (this.#over || !isSame(run, now)) return;
      await seat.model.hold(run);
    } catch (error) {
      if (this.#over) return;
      // It would come to the same again.
      this.#refused = run;
      this.#context.onFailed(messageOf(error).slice(0, 400));
    } finally {
      if (this.#fetching === run) this.#fetching = null;
    }
    this.roomChanged();
  }

  /** A device that the plan needs nothing of has on its disk what it may have to take over. */
  async #prefetch(): Promise<void> {
    const { room, seat, self } = this.#context;
    const view = room();
    const run = view && runWorthHaving(view, self);
    if (run === null || this.#isPrefetching) return;
    const name = `${run.from} ${run.to}`;
    if (this.#prefetched.has(name)) return;
    this.#isPrefetching = true;
    this.#prefetched.add(name);
    await seat.model.prefetch(run);
    this.#isPrefetching = false;
    this.roomChanged();
  }

  /** The room does not split the model any more. */
  #becomeWhole(): void {
    const { seat } = this.#context;
    this.#beginning = true;
    seat.model.fits().then(
      (fits) => {
        this.#isTooLarge = !fits;
        this.#beginning = false;
        if (fits && !this.#over && this.#wants === 'whole') this.begin();
      },
      () => undefined,
    );
  }
}
