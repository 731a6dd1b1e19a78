import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

/** What `npm pack` makes, installed in an empty folder as a person would have it. */

const run = promisify(execFile);
const project = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;

beforeAll(async () => {
  if (!existsSync(join(project, 'dist/index.html')))
    throw new Error('The page is not built: run "npm run build" first.');
  folder = await mkdtemp(join(tmpdir(), 'tabloom-package-'));
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: project, maxBuffer: 1e8 });
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...quiet, `./${tarball}`], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true, maxRetries: 9 }));

const command = () => join(folder, 'node_modules/.bin/tabloom');

it('brings no tool that builds', () => {
  for (const tool of ['vite', 'typescript', 'vitest', 'puppeteer-core', '@biomejs/biome'])
    expect([tool, existsSync(join(folder, 'node_modules', tool))]).toEqual([tool, false]);
});

/** Two processes: a host and a device. */
const SMALL = ['--devices', '1', '--rounds', '2', '--samples', '8', '--tokens', '32'];

it('trains together', async () => {
  const { stdout } = await run(command(), ['demo', ...SMALL, '--json', '--port', '0', '--cache', 'none'], {
    cwd: folder,
    maxBuffer: 1e8,
  });
  const result: unknown = JSON.parse(stdout);
  expect(result).toMatchObject({ losses: [expect.any(Number), expect.any(Number)] });
});

it('serves the page that it brought', async () => {
  const args = ['serve', '--port', '0'];
  const served = spawn(command(), args, {
    cwd: folder,
    env: { ...process.env, XDG_STATE_HOME: folder },
    stdio: 'pipe',
  });
  onTestFinished(async () => {
    if (served.exitCode !== null) return;
    served.kill('SIGTERM');
    await once(served, 'exit');
  });
  let address = '';
  for await (const line of createInterface({ input: served.stdout ?? process.stdin })) {
    address = /http:\/\/\S+/.exec(line)?.[0] ?? '';
    if (address !== '') break;
  }
  const page = await (await fetch(address)).text();
  const script = /src="\.\/(assets\/index-[^"]+)"/.exec(page)?.[1] ?? '';
  const answer = await fetch(`${address}/${script}`, { headers: { 'accept-encoding': 'br' } });
  expect([answer.status, answer.headers.get('content-encoding')]).toEqual([200, 'br']);
  expect((await fetch(`${address}/models/roberta-mini/config.json`)).status).toBe(200);
});
