/** Whether this browser keeps anything for the page: a first visit then need not fetch the code that would look at it. */
export async function anythingKept(): Promise<boolean> {
  try {
    const root = await navigator.storage.getDirectory();
    // The folder of sessions; there is nothing else.
    for await (const _ of root.keys()) return true;
  } catch {
    // Private windows refuse it, plain http has none.
  }
  try {
    // The page itself, kept for when there is no network, is nothing to go on with.
    return (await caches.keys()).some((name) => name.startsWith('tabloom-models-'));
  } catch {
    return false;
  }
}
