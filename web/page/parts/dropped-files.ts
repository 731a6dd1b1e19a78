/** More than any model has. */
const MAX_FILES = 500;

/** What was dropped: files, and the files of folders, those in folders within them left out. */
export async function droppedFiles({ items, files }: DataTransfer): Promise<readonly File[]> {
  // The list is empty once this function has waited for anything.
  const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const folders = entries.filter((entry): entry is FileSystemDirectoryEntry => entry?.isDirectory === true);
  if (folders.length === 0) return [...files];
  const found: File[] = [];
  for (const folder of folders) {
    const reader = folder.createReader();
    for (;;) {
      const some = await new Promise<readonly FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (some.length === 0 || found.length > MAX_FILES) break;
      for (const entry of some) if (isFile(entry)) found.push(await fileOf(entry, folder.name));
    }
  }
  return found;
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;

async function fileOf(entry: FileSystemFileEntry, folder: string): Promise<File> {
  const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
  // As a folder that was chosen in the browser's dialog gives it.
  Object.defineProperty(file, 'webkitRelativePath', { value: `${folder}/${file.name}` });
  return file;
}
