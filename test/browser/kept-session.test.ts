import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLAIN_TRAINING } from '../../signaling/protocol/settings.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { BROWSER_KINDS } from './find-browser.ts';
import { type Tab, withBrowser } from './harness.ts';
import type {} from './session-page/page.ts';

/** Sessions that a tab keeps in the browser's private storage, by the factory that the page uses, in a production build. */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const ROUNDS = 14;

let folder: string;
let server: RunningServer;
let origin: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-session-page-'));
  await build({
    configFile: project('vite.config.ts'),
    root: project('test/browser/session-page'),
    base: './',
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: folder,
    modelsFolder: project('models'),
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, maxRetries: 9 });
});

const loaded = (tab: Tab): Promise<void> =>
  tab.until('the factory is there', () => globalThis.factory !== undefined, { timeoutMs: 30_000 });

const request = (): HostRequest => ({
  model: { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  task: { id: 'grammar', endpoint: origin },
  lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
  training: {
    ...PLAIN_TRAINING,
    rounds: ROUNDS,
    samplesPerRound: 8,
    maxTokens: 32,
    learningRate: 3e-3,
    weightDecay: 0.01,
    warmupFraction: 0.1,
    dropout: 0.1,
    evaluateEvery: 0,
    seed: 7,
  },
  origin,
});

/** Makes the session, in the page. */
async function host(asked: HostRequest): Promise<void> {
  const options = { name: 'laptop', policy: 'offload', slowdown: 1, patience: 0 } as const;
  globalThis.session = await globalThis.factory.host(asked, options);
  await globalThis.until(({ status, room }) => status.kind === 'ready' && room?.plan != null);
  globalThis.session.start();
}

/** Names of all that the browser keeps for this origin, in the page. */
async function remains() {
  const folders: string[] = [];
  for await (const name of (await navigator.storage.getDirectory()).keys()) folders.push(name);
  return {
    folders,
    caches: await caches.keys(),
    databases: (await indexedDB.databases()).map(({ name }) => name),
    local: Object.keys(localStorage).sort(),
  };
}

/** What a run came to, in the page. */
async function outcome() {
  const { rounds, scores } = await globalThis.until(({ room }) => room?.phase === 'finished');
  return { losses: rounds.map(({ loss }) => loss), scores: scores.map(({ value, loss }) => [value, loss]) };
}

describe.each(BROWSER_KINDS)('%s', (kind) => {
  it('goes on after a reload as if nothing had happened', async () => {
    await withBrowser(kind, async (browser) => {
      const tab = await browser.open(origin);
      await loaded(tab);
      expect(await tab.page.evaluate(() => globalThis.factory.keptSessions())).toEqual([]);
      await tab.page.evaluate(host, request());
      const straight = await tab.page.evaluate(outcome);
      expect(straight.losses).toHaveLength(ROUNDS);
      await tab.page.evaluate(() => globalThis.session.leave());
      const [whole] = await tab.page.evaluate(() => globalThis.factory.keptSessions());
      expect(whole).toMatchObject({ deviceName: 'laptop', round: ROUNDS, rounds: ROUNDS });
      await tab.page.evaluate((id: string) => globalThis.factory.forget(id), whole?.id ?? '');

      await tab.page.evaluate(host, request());
      const before = await tab.page.evaluate(async () => {
        const { room } = await globalThis.until(({ kept, rounds }) => kept !== null && rounds.length >= 3);
        return room?.id;
      });
      // In the middle of a round.
      await tab.page.reload();
      await loaded(tab);
      const [kept, ...others] = await tab.page.evaluate(() => globalThis.factory.keptSessions());
      expect(others).toEqual([]);
      if (kept === undefined) throw new Error('Nothing was kept.');
      expect(kept.title).toContain('roberta-mini');
      expect(kept.round).toBeGreaterThan(0);
      expect(kept.round).toBeLessThan(ROUNDS);

      const back = await tab.page.evaluate(async (id: string) => {
        globalThis.session = await globalThis.factory.resume(id);
        const view = await globalThis.until(({ status, room }) => status.kind === 'ready' && room?.plan != null);
        return { code: view.room?.id, phase: view.room?.phase, rounds: view.rounds.length };
      }, kept.id);
      expect(back).toEqual({ code: before, phase: 'paused', rounds: kept.round });

      const second = await browser.open(origin);
      await loaded(second);
      const twice = await second.page.evaluate(
        (id: string) => globalThis.factory.resume(id).then(() => '', String),
        kept.id,
      );
      expect(twice).toContain('is open in a tab of this browser');

      await tab.page.evaluate(() => globalThis.session.start());
      const goneOn = await tab.page.evaluate(outcome);
      expect(goneOn.losses).toEqual(straight.losses);
      // What devices evaluate together is up to the moment, and rounds differently.
      expect(goneOn.scores.flat()).toEqual(straight.scores.flat().map((score) => expect.closeTo(score, 6)));
      const file = await tab.page.evaluate(async () => {
        const { name, bytes } = await globalThis.session.exportCheckpoint();
        globalThis.session.leave();
        // The same from a file, without what the browser keeps.
        for (const { id } of await globalThis.factory.keptSessions()) await globalThis.factory.forget(id);
        const options = { name: 'other name', policy: 'auto', slowdown: 1, patience: 0 } as const;
        globalThis.session = await globalThis.factory.resumeFile(bytes, options);
        const { room, rounds, notices } = await globalThis.until(({ status }) => status.kind === 'ready');
        const text = new TextDecoder('latin1').decode(bytes);
        return {
          name,
          phase: room?.phase,
          rounds: rounds.length,
          code: room?.id,
          text: text.slice(text.indexOf('"identity"')),
          notices: notices.map(({ sentence }) => sentence),
        };
      });
      const { code, text, ...rest } = file;
      expect(rest).toEqual({
        name: `roberta-mini-grammar-round-${ROUNDS}.safetensors`,
        phase: 'finished',
        rounds: ROUNDS,
        notices: [expect.stringContaining('came without its key, so training goes on in a new session')],
      });
      // A file that anybody may be given has neither the room's code nor the host's key within.
      expect(code).not.toBe(before);
      expect(text).toMatch(/^"identity":\{"id":"[a-z0-9]{12}","name":"laptop"\}/);
      expect(text).not.toContain(before);
      const { prediction: tried } = await tab.page.evaluate(() =>
        globalThis.session.tryText('A wonderful film.', null),
      );
      if (tried.kind !== 'classes') throw new Error('classes were expected');
      expect(tried.probabilities.map(({ name }) => name)).toEqual(['negative', 'positive']);
      expect(tried.probabilities.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);

      // Everything that this page keeps goes at once, but not under an open session; what others keep here stays.
      await second.page.evaluate(async () => {
        localStorage.setItem('tabloom.device-name', 'laptop');
        localStorage.setItem('theirs', 'stays');
        await (await caches.open('theirs')).put('/theirs', new Response('stays'));
        await (await caches.open('tabloom-models-1')).put('/tabloom-models/a/about', new Response('{}'));
        await navigator.storage.getDirectory().then((root) => root.getDirectoryHandle('theirs', { create: true }));
      });
      const refused = await second.page.evaluate(() => globalThis.factory.deleteAll().then(() => '', String));
      expect(refused).toContain('is open in a tab of this browser');
      expect(await second.page.evaluate(remains)).toMatchObject({ local: ['tabloom.device-name', 'theirs'] });
      await tab.page.evaluate(() => globalThis.session.leave());
      const deleted = await second.page.evaluate(() => globalThis.factory.deleteAll());
      // The one that another tab began to keep, and the embedded one, which a page keeps for the next time.
      expect(deleted).toMatchObject({ sessions: 1, models: 2 });
      expect(deleted.bytes).toBeGreaterThan(1e5);
      expect(await second.page.evaluate(remains)).toEqual({
        folders: ['theirs'],
        caches: ['theirs'],
        databases: [],
        local: ['theirs'],
      });
      expect(await tab.page.evaluate(() => globalThis.factory.keptSessions())).toEqual([]);
      expect(tab.errors).toEqual([]);
    });
  });
});
