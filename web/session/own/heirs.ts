import type { ToldStandings } from '../../../signaling/protocol/exchange/audit-messages.ts';
import type { RoundReport } from '../../../signaling/protocol/room-view.ts';
import type { HostRequest, HostWorkerApi } from '../../../worker/api/host-api.ts';
import type { DeviceLinks } from '../rounds/device-links.ts';
import type { SessionView } from '../view/view.ts';
import type { ViewStore } from '../view/view-store.ts';
import type { OwnDoor } from './own-door.ts';
import { TableGiving } from './table-giving.ts';

export interface HeirsContext {
  readonly term: number;
  readonly task: HostRequest['task'];
  /** Devices to which a person's own table was given before. */
  readonly given: readonly string[];
  readonly patience: number;
  /** Part of the compute that audits take. */
  readonly audits: number;
  readonly worker: Pick<HostWorkerApi, 'heritage'>;
  readonly deviceLinks: DeviceLinks;
  readonly entrance: Pick<OwnDoor, 'kept'>;
  readonly store: ViewStore;
}

/**
 * Tells devices that proved to know the session's secret what they need to be host when this one is gone: each once, and again when the best
 * adapter or the door is another one. A person's own table goes to nobody but whom the person gave it to; the others hear of nothing then.
 */
export class Heirs {
  readonly #context: HeirsContext;
  readonly #table: TableGiving | null;
  /** What each device was told last, over the link that it has. */
  readonly #told = new Map<string, string>();
  #running = false;
  #again = false;

  constructor(context: HeirsContext) {
    this.#context = context;
    const { task, given, deviceLinks, store } = context;
    this.#table = task.own === undefined ? null : new TableGiving({ own: task.own, given, deviceLinks, store });
    store.subscribe(() => {
      this.#show();
      void this.#tell();
    });
  }

  /** Devices that have, or are to have, the whole of a person's own table. */
  get given(): readonly string[] {
    return this.#table?.given ?? [];
  }

  giveTable(device: string): void {
    if (knowsSecret(this.#context.store.view.proofs, device)) this.#table?.give(device);
  }

  /** Whether a device may have what it takes to be host. */
  mayLead(device: string): boolean {
    return knowsSecret(this.#context.store.view.proofs, device) && this.#table?.isGivenTo(device) !== false;
  }

  /** To those who were told the rest. */
  tellStandings(standings: Omit<ToldStandings, 'type' | 'term'> | null): void {
    const { term, deviceLinks } = this.#context;
    if (standings === null) return;
    for (const device of this.#told.keys())
      if (this.mayLead(device)) deviceLinks.sendLeft(device, { type: 'standings', term, ...standings });
  }

  /** Likewise, before they hear of the step. */
  tellReport({ devices: _, ...report }: RoundReport): void {
    const { term, deviceLinks } = this.#context;
    for (const device of this.#told.keys())
      if (this.mayLead(device))
        deviceLinks.sendLeft(device, { type: 'report', term, report: { ...report, devices: [] } });
  }

  /** Who could go on at once: has everything, and holds what was learned. */
  #show(): void {
    const { deviceLinks, store } = this.#context;
    const { proofs, heirs, tables } = store.view;
    const now = Object.keys(proofs).filter(
      (device) =>
        this.#told.has(device) &&
        this.mayLead(device) &&
        (this.#table === null || tables[device] === 'held') &&
        deviceLinks.holdsSome(device),
    );
    if (now.join() !== heirs.join()) store.dispatch({ type: 'heirs', heirs: now });
  }

  async #tell(): Promise<void> {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      await this.#once().catch(() => undefined);
    }
    this.#running = false;
  }

  async #once(): Promise<void> {
    const { term, task, patience, audits, worker, deviceLinks, entrance, store } = this.#context;
    const { proofs, best } = store.view;
    for (const device of this.#told.keys()) if (!knowsSecret(proofs, device)) this.#told.delete(device);
    const { door, cap, removed, admitted = [] } = entrance.kept;
    const said = JSON.stringify([door, cap, removed, admitted, best?.round, this.given]);
    const untold = Object.keys(proofs).filter((device) => this.mayLead(device) && this.#told.get(device) !== said);
    if (untold.length === 0) return;
    const left = await worker.heritage();
    const of = left.best && { round: left.best.round, value: left.best.value };
    for (const device of untold) {
      if (!deviceLinks.has(device)) continue;
      this.#told.set(device, said);
      deviceLinks.sendHeritage(
        device,
        {
          ...{ type: 'heritage', term, patience, audits, dataFingerprint: left.dataFingerprint, door, cap, best: of },
          ...{ task: { id: task.id, endpoint: task.endpoint }, removed: [...removed], admitted: [...admitted] },
          ...{ table: this.#table?.described ?? null, given: [...this.given] },
          begun: left.before !== null,
        },
        left.best?.values ?? new Float32Array(0),
        left.before ?? new Float32Array(0),
      );
    }
  }
}

const knowsSecret = (proofs: SessionView['proofs'], device: string): boolean => proofs[device]?.proof === 'secret';
