import { exportAdapter } from '../adapter/export-adapter.ts';
import { planMerged } from '../adapter/export-merged.ts';
import { planOnnx } from '../adapter/export-onnx.ts';
import type { BaseModel } from '../adapter/merged-model.ts';
import { collected, type PlannedExport, partsOf, wholeFile } from '../adapter/planned-export.ts';
import type { TrainedAdapter } from '../adapter/trained-adapter.ts';
import type { AdapterChoice, ExportedFile, ExportForm, ExportPart, FileToCome } from '../api/host-api.ts';

/** What is taken out of a session, whole or in pieces that are asked for one by one. */
export class HostExports {
  readonly #trained: (which: AdapterChoice) => TrainedAdapter;
  readonly #base: () => Promise<BaseModel>;
  #parts: AsyncGenerator<ExportPart, void, void> | null = null;

  constructor(trained: (which: AdapterChoice) => TrainedAdapter, base: () => Promise<BaseModel>) {
    this.#trained = trained;
    this.#base = base;
  }

  async whole(form: ExportForm, which: AdapterChoice): Promise<readonly ExportedFile[]> {
    return collected(await this.#plan(form, which));
  }

  async bytes(form: ExportForm): Promise<number> {
    return (await this.#plan(form, 'last')).bytes;
  }

  /** In place of one that was open. The largest file comes first: where a disk is too full for it, nothing else has been written over. */
  async open(form: ExportForm, which: AdapterChoice): Promise<readonly FileToCome[]> {
    const planned = await this.#plan(form, which);
    await this.#parts?.return();
    const files = planned.files.toSorted((a, b) => b.byteLength - a.byteLength);
    this.#parts = partsOf({ files });
    return files.map(({ name, byteLength }) => ({ name, byteLength }));
  }

  async next(): Promise<ExportPart | null> {
    const next = await this.#parts?.next();
    if (next === undefined) throw new Error('No export is open.');
    if (!next.done) return next.value;
    this.#parts = null;
    return null;
  }

  async #plan(form: ExportForm, which: AdapterChoice): Promise<PlannedExport> {
    const adapter = this.#trained(which);
    if (form !== 'adapter') return (form === 'merged' ? planMerged : planOnnx)(adapter, await this.#base());
    const files = exportAdapter(adapter).map(({ name, bytes }) => wholeFile(name, bytes));
    return { bytes: files.reduce((sum, { byteLength }) => sum + byteLength, 0), files };
  }
}
