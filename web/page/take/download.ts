/** Hands bytes to the browser's own downloads. */
export function download(name: string, parts: readonly Uint8Array[], type: string): void {
  const url = URL.createObjectURL(new Blob([...parts] as BlobPart[], { type }));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  // Safari reads the address after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
