/** What a person may want a device to compute on; `auto` takes what is quicker there. */
export const ENGINE_CHOICES = ['auto', 'webgpu', 'wasm'] as const;
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

export const ENGINE_WORDS: Readonly<Record<EngineChoice, string>> = {
  auto: 'Whatever is quicker here',
  webgpu: 'WebGPU, also in software',
  wasm: 'WebAssembly, on the processor',
};

export const isEngineChoice = (value: string): value is EngineChoice =>
  (ENGINE_CHOICES as readonly string[]).includes(value);
