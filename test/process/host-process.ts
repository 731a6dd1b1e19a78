import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Policy } from '../../signaling/protocol/settings.ts';
import { ownSession } from '../../web/session/members.ts';
import type { OwnTaskRequest } from '../../worker/api/tables.ts';
import { HeadlessRoom } from './headless-room.ts';

export interface HostProcessOptions {
  readonly policy?: Policy;
  readonly rounds: number;
  readonly evaluateEvery?: number;
  /** Training begins when so many are ready, the host's own among them. */
  readonly devices: number;
  /** Where one is there already the session goes on from it. */
  readonly checkpointFile?: string;
  readonly memoryBytes?: number;
  readonly task?: { readonly id: string; readonly endpoint: string };
  /** Of `ownTable`: a table of one's own instead of a task. */
  readonly tableRows?: number;
}

/** What a test may ask of it, a line each. */
export type HostCommand = { readonly give: string } | { readonly exportAs: 'adapter' | 'merged' | 'onnx' };

const WORDS = ['bright', 'dull', 'warm', 'cold', 'quick', 'slow', 'kind', 'harsh', 'clear', 'vague'];

/** A table of one's own, the same for the same number of rows; of about 60 bytes each. */
export function ownTable(rows: number): OwnTaskRequest {
  const lines = Array.from({ length: rows }, (_, i) => {
    const words = Array.from({ length: 8 }, (_, at) => WORDS[(i * 7 + at * at * 3 + (i >> at)) % WORDS.length]);
    return `${words.join(' ')},${words[0] === 'bright' || words[3] === 'warm' ? 'good' : 'bad'}\n`;
  });
  return {
    ...{ title: 'Own rows', kind: 'classification', dev: null },
    train: { name: 'rows.csv', bytes: new TextEncoder().encode(`text,label\n${lines.join('')}`) },
    columns: { text: 'text', pair: null, label: 'label' },
  };
}

/** A host in a process of its own, which a test may kill or stop: `host-process.ts ORIGIN OPTIONS` (JSON). It says what happens, a line each. */
async function host(origin: string, options: HostProcessOptions): Promise<void> {
  const { policy = 'crunch', rounds, evaluateEvery = 0, devices, checkpointFile, memoryBytes = 2e9 } = options;
  const { tableRows, task } = options;
  const said = new Map<string, string>();
  /** What is as it was said last is not said again. */
  const say = (what: object): void => {
    const [line, kind] = [JSON.stringify(what), Object.keys(what)[0] ?? ''];
    if (said.get(kind) !== line) process.stdout.write(`${line}\n`);
    said.set(kind, line);
  };
  const own = tableRows === undefined ? task : { id: 'own', endpoint: '', own: ownTable(tableRows) };
  const room =
    checkpointFile !== undefined && existsSync(checkpointFile)
      ? await HeadlessRoom.resume(origin, checkpointFile)
      : await HeadlessRoom.open(
          origin,
          policy,
          { rounds, evaluateEvery, dropout: 0.1 },
          {
            ...{ memoryBytes, make: ownSession },
            ...(checkpointFile !== undefined && { checkpointFile }),
            ...(own !== undefined && { request: { task: own } }),
          },
        );
  const { invitation } = await room.until((view) => view.invitation !== null);
  say({ link: invitation?.link });
  let told = room.view.rounds.length;
  room.session.subscribe(({ rounds, evaluation, ended, kept, tables, heirs, server }) => {
    say({ server });
    for (const { round, loss } of rounds.slice(told)) say({ round, loss });
    told = rounds.length;
    if (evaluation !== null) say({ evaluation });
    if (kept !== null) say({ kept: kept.round });
    if (ended !== null) say({ ended });
    if (heirs.length > 0) say({ heirs });
    for (const [device, state] of Object.entries(tables)) say({ table: state, device });
  });
  room.session.onSuccessor(({ session }) => {
    say({ role: session.view.role });
    session.subscribe(({ role, status, room: seen, server }) =>
      say({ role, status: status.kind, host: seen?.host, server }),
    );
  });
  createInterface({ input: process.stdin }).on('line', (line) => {
    const command: HostCommand = JSON.parse(line);
    if ('give' in command) room.session.giveTable(command.give);
    else {
      say({ exporting: command.exportAs });
      const exports = { adapter: 'exportAdapter', merged: 'exportMerged', onnx: 'exportOnnx' } as const;
      void room.session[exports[command.exportAs]]('last').then(() => say({ exported: command.exportAs }));
    }
  });
  await room.ready(devices);
  room.session.start();
}

// Imported for its types and table alone elsewhere.
if (process.argv[1]?.endsWith('host-process.ts'))
  await host(process.argv[2] ?? '', JSON.parse(process.argv[3] ?? '{}'));
