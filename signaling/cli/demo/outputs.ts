import { randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, mkdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { StreamedPart } from '../../../web/session/view/view.ts';
import type { ExportForm } from '../../../worker/api/host-api.ts';
import { PUBLIC_MODE, writeInParts } from '../../node/whole-file.ts';
import { bytesText } from '../../protocol/words/quantities.ts';
import { CommandError } from '../command-line.ts';

/** Where what was trained goes on disk; looked at before the first round, so that nothing is trained that cannot be kept. */

const MAX_UNFINISHED = 1000;
const UNFINISHED = /^unfinished(-\d+)?\.safetensors$/;

/** Where an export's file belongs: the adapter is the folder itself, as PEFT opens it. */
export const placeOf = (out: string, form: ExportForm, name: string): string =>
  form === 'adapter' ? join(out, name) : join(out, form, name);

/** A file for the checkpoint of a run that has none of its own: in the folder, and over no earlier one's. */
export function unfinishedFile(out: string): string {
  for (let i = 1; i <= MAX_UNFINISHED; i++) {
    const path = join(out, i === 1 ? 'unfinished.safetensors' : `unfinished-${i}.safetensors`);
    if (!existsSync(path)) return path;
  }
  throw new CommandError(
    `${out} has ${MAX_UNFINISHED} unfinished runs; go on with one by --resume, or remove what is not needed.`,
  );
}

/** Of no use once everything that was asked for has been written. */
export const isUnfinishedFile = (out: string, path: string): boolean =>
  UNFINISHED.test(basename(path)) && resolve(dirname(path)) === resolve(out);

/** Makes the folders and writes to them. @throws CommandError with one sentence where that cannot be done. */
export async function prepareOutputs(
  out: string,
  forms: readonly ExportForm[],
  files: readonly (readonly [option: string, path: string])[],
): Promise<void> {
  const folders = forms.map((form) => dirname(placeOf(out, form, 'x')));
  for (const folder of folders) await tryFolder('out', folder);
  for (const form of forms) await replaceable('out', placeOf(out, form, 'README.md'));
  await replaceable('out', placeOf(out, 'adapter', 'adapter_model.safetensors'));
  for (const [option, path] of files) {
    await tryFolder(option, dirname(path));
    await replaceable(option, path);
  }
}

async function tryFolder(option: string, folder: string): Promise<void> {
  const probe = join(folder, `.tabloom-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(probe, 'tabloom', { flag: 'wx' });
  } catch (error) {
    throw new CommandError(`Nothing can be written to ${folder}, the folder for --${option} (${reasonOf(error)}).`);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

/** A file that is there may be written over. */
async function replaceable(option: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found === null) return;
  if (found.isDirectory()) throw new CommandError(`${path} is a folder; --${option} needs a file there.`);
  await access(path, constants.W_OK).catch((error: unknown) => {
    throw new CommandError(`${path} cannot be written over, which --${option} asks for (${reasonOf(error)}).`);
  });
}

/** A checkpoint holds three vectors of the adapter's size, a fourth for the best, and is written beside the one before. */
const CHECKPOINT_ADAPTERS = 8;

/**
 * Whether the disk has room for the exports and for checkpoints on the way. Where the platform does not tell how much there is, it has.
 * @throws CommandError with one sentence.
 */
export async function refuseFullDisk(out: string, bytesOf: ReadonlyMap<ExportForm, number>): Promise<void> {
  const exports = [...bytesOf.values()].reduce((a, b) => a + b, 0);
  const needed = exports + CHECKPOINT_ADAPTERS * (bytesOf.get('adapter') ?? 0);
  const free = await statfs(out).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Number.POSITIVE_INFINITY,
  );
  const problem = spaceProblem(out, needed, free);
  if (problem !== null) throw new CommandError(problem);
}

/** Why so many bytes do not fit, or null. */
export const spaceProblem = (folder: string, neededBytes: number, freeBytes: number): string | null =>
  neededBytes <= freeBytes
    ? null
    : `${folder} has ${bytesText(freeBytes)} free, and what was asked for takes ${bytesText(neededBytes)}; ` +
      'make room, name another folder with --out, or ask for less with --export-as.';

/**
 * Writes an export's files as their bytes come: no model is in memory. Where the disk is full, the file that lay there stays as it was.
 * @throws Error that names the file.
 */
export async function writeExport(out: string, form: ExportForm, parts: AsyncIterator<StreamedPart>): Promise<void> {
  let next = await parts.next();
  while (!next.done) {
    const { name } = next.value;
    const path = placeOf(out, form, name);
    let problem: { readonly error: unknown } | null = null;
    const ofFile = async function* (): AsyncGenerator<Uint8Array> {
      while (!next.done && next.value.name === name) {
        yield next.value.bytes;
        try {
          next = await parts.next();
        } catch (error) {
          problem = { error };
          throw error;
        }
      }
    };
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeInParts(path, ofFile(), PUBLIC_MODE);
    } catch (error) {
      if (problem !== null) throw error;
      throw new Error(`${name} could not be written (${reasonOf(error)})`);
    }
  }
}

/** The system's own words: what it could not do, and to what. */
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
