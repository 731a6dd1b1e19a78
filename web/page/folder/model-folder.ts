import { FOLDER_ENDPOINT, type ModelSource } from '../../../signaling/protocol/settings.ts';
import * as say from '../../words/start/folder.ts';

/** A file of a folder, as browsers give it. */
type FolderFile = Pick<File, 'name' | 'size' | 'lastModified' | 'webkitRelativePath'>;

const MODEL_FILE = /^(config\.json|tokenizer\.json|[\w-][\w.-]{0,199}\.safetensors|model\.safetensors\.index\.json)$/;

/** Those that a model is read from, of all that a folder holds; what lies in folders within it is not the model's. */
export function modelFilesOf<Kind extends FolderFile>(files: readonly Kind[]): readonly Kind[] {
  const isAtTop = ({ webkitRelativePath }: Kind): boolean => webkitRelativePath.split('/').length <= 2;
  return files.filter((file) => MODEL_FILE.test(file.name) && isAtTop(file));
}

/** What of a model's files is missing; null where nothing is. */
export function folderProblem(files: readonly Pick<File, 'name'>[]): string | null {
  const names = new Set(files.map(({ name }) => name));
  if (names.size === 0) return say.chooseTheFolder;
  if (!names.has('config.json')) return say.thisFolderHasNoConfig;
  if (!names.has('tokenizer.json')) return say.thisFolderHasNoTokenizer;
  if (!names.has('model.safetensors') && !names.has('model.safetensors.index.json')) return say.thisFolderHasNoModel;
  if (![...names].some((name) => name.endsWith('.safetensors'))) return say.thisFolderHasNoShards;
  return null;
}

/** Where devices find it: nowhere but in the session. A folder whose files changed is another revision. */
export function folderSource(files: readonly FolderFile[]): ModelSource {
  const folder = files[0]?.webkitRelativePath.split('/').slice(0, -1)[0] ?? '';
  const name = folder
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 100);
  const told = [...files].map(({ name, size, lastModified }) => `${name} ${size} ${lastModified}`).sort();
  // With a slash, as hubs' are: nothing that a server has beside its page is called so.
  return {
    kind: 'hub',
    id: `folder/${name || 'model'}`,
    endpoint: FOLDER_ENDPOINT,
    revision: `folder-${hashOf(told.join('\n'))}`,
  };
}

/** FNV-1a; only to tell folders apart. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** "roberta-base: 3 files, 499 MB" is said by whoever shows it. */
export const bytesOf = (files: readonly Pick<File, 'size'>[]): number => files.reduce((sum, { size }) => sum + size, 0);
