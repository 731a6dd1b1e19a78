import { type Endpoint, expose, transfer } from 'comlink';
import type { ExportedFile, HostWorkerApi } from '../api/host-api.ts';
import type { FolderFiles } from '../files/folder-files.ts';
import type { Host } from './host.ts';

/** Serves a host over a worker's own port. What it made for the caller alone is transferred, not copied. */
export function serveHost(host: Host, endpoint?: Endpoint, folder: FolderFiles | null = null): void {
  const api: HostWorkerApi = {
    useFolder: async (files) => folder?.give(files),
    open: (request) => host.open(request),
    preflight: (source, origin, memoryLimitBytes) => host.preflight(source, origin, memoryLimitBytes),
    reachTask: (task) => host.reachTask(task),
    keptModels: () => host.keptModels(),
    forgetModels: (name) => host.forgetModels(name),
    previewTable: (file, leastColumns) => host.previewTable(file, leastColumns),
    progress: () => host.progress(),
    roundBatch: async (round, ranges) => transferBatch(await host.roundBatch(round, ranges)),
    devLengths: (part) => host.devLengths(part),
    devChunk: async (part, start, count) => transferBatch(await host.devChunk(part, start, count)),
    textBatch: async (text, pair) => transferBatch(await host.textBatch(text, pair)),
    parameters: async () => {
      const parameters = await host.parameters();
      return transfer(parameters, [parameters.values.buffer]);
    },
    heritage: () => host.heritage(),
    state: async () => {
      const state = await host.state();
      return transfer(state, [state.values.buffer, state.firstMoment.buffer, state.secondMoment.buffer]);
    },
    step: async (request) => {
      const result = await host.step(request);
      return result.kind === 'stepped' ? transfer(result, [result.update.gradient.buffer]) : result;
    },
    setExtent: (extent) => host.setExtent(extent),
    skip: (round) => host.skip(round),
    undo: (round) => host.undo(round),
    report: () => host.report(),
    parametersBefore: async () => {
      const values = await host.parametersBefore();
      return transfer(values, [values.buffer]);
    },
    openTexts: (file, columns) => host.openTexts(file, columns),
    nextTexts: async () => {
      const next = await host.nextTexts();
      return next?.batch ? { ...next, batch: transferBatch(next.batch) } : next;
    },
    answerTexts: (logits) => host.answerTexts(logits),
    score: (evaluated) => host.score(evaluated),
    exportAdapter: (which) => host.exportAdapter(which),
    exportMerged: async (which) => transferFiles(await host.exportMerged(which)),
    exportOnnx: async (which) => transferFiles(await host.exportOnnx(which)),
    openExport: (form, which) => host.openExport(form, which),
    nextPart: async () => {
      const part = await host.nextPart();
      return part === null ? null : transfer(part, [part.bytes.buffer]);
    },
    exportBytes: (form) => host.exportBytes(form),
    checkpoint: async (note) => {
      const bytes = await host.checkpoint(note);
      return transfer(bytes, [bytes.buffer]);
    },
    keep: (session, note) => host.keep(session, note),
    keptSessions: () => host.keptSessions(),
    keptCheckpoint: async (id) => {
      const kept = await host.keptCheckpoint(id);
      return transfer(kept, [kept.bytes.buffer]);
    },
    forget: (id) => host.forget(id),
    deleteAll: () => host.deleteAll(),
    readCheckpoint: (bytes) => host.readCheckpoint(bytes),
  };
  expose(api, endpoint);
}

function transferBatch(batch: Awaited<ReturnType<Host['roundBatch']>>) {
  return transfer(batch, [batch.ids.buffer, batch.lengths.buffer, batch.labels.buffer, batch.positions.buffer]);
}

function transferFiles(files: readonly ExportedFile[]): readonly ExportedFile[] {
  return transfer(
    files,
    files.map(({ bytes }) => bytes.buffer),
  );
}
