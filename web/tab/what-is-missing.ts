/** What this browser keeps from the page, as far as it says. */
export interface Missing {
  /** False for a page that came by plain http from another machine: browsers then keep much of themselves from it. */
  readonly secure: boolean;
  /** `none`: no WebGPU at all; `no-adapter`: WebGPU finds nothing to run on; `software`: it runs on the processor. */
  readonly gpu: 'there' | 'none' | 'no-adapter' | 'software';
}

/** An adapter that is not found by then is not waited for. */
const ADAPTER_MS = 5000;

export async function whatIsMissing(): Promise<Missing> {
  if (!isSecureContext) return { secure: false, gpu: 'none' };
  if (navigator.gpu === undefined) return { secure: true, gpu: 'none' };
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), ADAPTER_MS));
  const adapter = await Promise.race([navigator.gpu.requestAdapter().catch(() => null), late]);
  if (adapter === null) return { secure: true, gpu: 'no-adapter' };
  return { secure: true, gpu: adapter.info?.isFallbackAdapter ? 'software' : 'there' };
}
