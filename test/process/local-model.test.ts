import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openServer } from '../../signaling/cli/serve-command.ts';
import type { ModelSource } from '../../signaling/protocol/settings.ts';
import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import { keptSecret } from '../../signaling/server/server-secret.ts';
import { keptAuthority } from '../../signaling/server/tls/kept-authority.ts';
import { openHttp } from '../../worker/files/open-file.ts';
import { modelFiles } from '../../worker/model/open-model.ts';
import { fileChunkStore } from '../../worker/node/file-chunk-store.ts';

const PROGRAM = fileURLToPath(new URL('../../signaling/tabloom.ts', import.meta.url));
const MODEL = fileURLToPath(new URL('../../models/roberta-mini', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-local-'));
});
afterEach(() => rm(folder, { recursive: true, maxRetries: 9 }));

function tabloom(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...args], { timeout: 150_000 });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

describe('a folder with a model', () => {
  it('trains with 8-bit weights over several devices, and exports an adapter of it', async () => {
    const result = await tabloom(
      ...['demo', '--model', MODEL, '--weights', 'int8', '--rounds', '3', '--devices', '1', '--samples', '8'],
      ...['--out', join(folder, 'adapter'), '--port', '0', '--json'],
    );
    expect(result.err).not.toContain('tabloom:');
    expect(result.code).toBe(0);
    const { losses } = JSON.parse(result.out) as { losses?: unknown };
    // Two classes by chance: the loss is near ln 2.
    expect(losses).toEqual([0, 1, 2].map(() => expect.closeTo(Math.LN2, 0)));
  });

  it('is offered by the server as a repository, kept by who opens it, and deleted by command', async () => {
    const server = await openServer({
      port: 0,
      host: '127.0.0.1',
      hub: null,
      model: MODEL,
      ice: [],
      log: () => undefined,
    });
    try {
      const endpoint = `http://127.0.0.1:${server.port}/hub`;
      const source: ModelSource = { kind: 'hub', id: 'local/roberta-mini', endpoint, revision: 'main' };
      const store = fileChunkStore(folder);
      const files = modelFiles(openHttp, store, source, '');
      expect(await files.shape()).toMatchObject({ layers: 6, hiddenSize: 128 });
      await (await files.weights()).read('roberta.encoder.layer.0.output.dense.weight', [128, 512]);
      const kept = async () => JSON.parse((await tabloom('cache', '--cache', folder, '--json')).out) as unknown;
      const name = 'hub/local/roberta-mini';
      await expect.poll(kept, { timeout: 60_000 }).toEqual([{ name, bytes: expect.any(Number) }]);
      expect(await tabloom('cache', '--cache', folder, '--delete', 'nobody/nothing')).toMatchObject({
        code: 2,
        err: expect.stringContaining('Nothing is kept of "nobody/nothing"'),
      });
      const { code, out } = await tabloom('cache', '--cache', folder, '--delete', name);
      expect([code, out]).toEqual([0, expect.stringContaining('No model is kept')]);

      // Everything, with what a killed download left and the server's secret; what a person put there stays.
      await store.put(`${'ab'.repeat(16)}/about`, [new Uint8Array(100)]);
      await writeFile(join(folder, 'ab'.repeat(16), 'draft'), new Uint8Array(9));
      await writeFile(join(folder, 'notes.txt'), 'mine');
      const state = join(folder, 'state');
      expect((await keptSecret(state))?.length).toBe(32);
      const config = join(folder, 'config');
      const authority = await keptAuthority(config, { names: ['loom'], addresses: [] }, Date.now());
      const bytes = 132 + (authority?.key ?? '').length + (authority?.certificate ?? '').length;
      const all = ['cache', '--cache', folder, '--state', state, '--config', config, '--delete-all'];
      expect((await tabloom(...all)).out).toBe(
        `Deleted: 1 model, the server's secret and authority; ${bytesText(bytes)} in all.\n`,
      );
      expect(await readdir(config)).toEqual([]);
      expect(await readdir(folder)).toEqual(expect.arrayContaining(['notes.txt', 'state']));
      expect(await readdir(folder)).not.toContain('ab'.repeat(16));
      expect(await readdir(state)).toEqual([]);
      expect(JSON.parse((await tabloom(...all, '--json')).out)).toEqual({ models: 0, bytes: 0 });
    } finally {
      await server.close();
    }
  });
});
