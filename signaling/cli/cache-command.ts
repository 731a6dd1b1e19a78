import { deleteAllModels, forgetModels, keptModels } from '../../worker/files/cached-source.ts';
import { defaultCacheFolder, fileChunkStore } from '../../worker/node/file-chunk-store.ts';
import { countText } from '../protocol/words/lists.ts';
import { bytesText } from '../protocol/words/quantities.ts';
import { defaultStateFolder, forgetSecret } from '../server/server-secret.ts';
import { defaultConfigFolder, forgetAuthority } from '../server/tls/kept-authority.ts';
import { CommandError, cacheFolder, readArguments } from './command-line.ts';

const HELP = `Usage: tabloom cache [options]

Says which models headless devices keep on this machine, so that the next session needs no download.

  --delete MODEL  delete what is kept of a model, or of all
  --delete-all    delete everything that Tabloom keeps on this machine: models, the secret by which a server that starts
                  again knows its sessions' hosts, the authority that signs its certificates. Files that you named yourself (checkpoints, adapters, logs) stay
  --cache FOLDER  where models are kept (${defaultCacheFolder()})
  --state FOLDER  where a server keeps its secret (${defaultStateFolder()})
  --config FOLDER where the authority is kept (${defaultConfigFolder()})
  --json          print the models and their bytes as JSON
  --help          show this
`;

export async function cacheCommand(argv: string[]): Promise<number> {
  const { values } = readArguments(
    argv,
    {
      delete: { type: 'string' },
      'delete-all': { type: 'boolean', default: false },
      config: { type: 'string', default: defaultConfigFolder() },
      state: { type: 'string', default: defaultStateFolder() },
      cache: { type: 'string', default: defaultCacheFolder() },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
    { min: 0, max: 0 },
  );
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const folder = cacheFolder(values.cache);
  if (folder === null) throw new CommandError('--cache names a folder here.');
  const store = fileChunkStore(folder);
  if (values['delete-all']) {
    const deleted = await deleteAllModels(store);
    const bytes = deleted.bytes + (await forgetSecret(values.state)) + (await forgetAuthority(values.config));
    if (values.json) process.stdout.write(`${JSON.stringify({ models: deleted.models, bytes })}\n`);
    else
      process.stdout.write(
        `Deleted: ${countText(deleted.models, 'model', 'models')}, the server's secret and authority; ${bytesText(bytes)} in all.\n`,
      );
    return 0;
  }
  const { delete: model } = values;
  if (model !== undefined) {
    if (model !== 'all' && !(await keptModels(store)).some(({ name }) => name === model))
      throw new CommandError(`Nothing is kept of "${model}" in ${folder}.`);
    await forgetModels(store, model === 'all' ? null : model);
  }
  const models = await keptModels(store);
  if (values.json) process.stdout.write(`${JSON.stringify(models)}\n`);
  else if (models.length === 0) process.stdout.write(`No model is kept in ${folder}.\n`);
  else for (const { name, bytes } of models) process.stdout.write(`${name}  ${bytesText(bytes)}\n`);
  return 0;
}
