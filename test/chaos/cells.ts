/** Where in a round, or beside it, a fault strikes: what the room is at in that moment. */
export const PHASES = [
  'order',
  'parameters',
  'compute',
  'upload',
  'merge',
  'checkpoint',
  'evaluation',
  'export',
] as const;
export type Phase = (typeof PHASES)[number];

export const FAULTS = ['kill', 'stop', 'cut', 'delay', 'loss', 'server', 'host', 'liar', 'staller', 'memory'] as const;
export type FaultKind = (typeof FAULTS)[number];

/** As people read them, in tables. */
export const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  order: 'order',
  parameters: 'parameters down',
  compute: 'compute',
  upload: 'upload',
  merge: 'merge',
  checkpoint: 'checkpoint',
  evaluation: 'evaluation',
  export: 'export',
};
export const FAULT_WORDS: Readonly<Record<FaultKind, string>> = {
  kill: 'kill -9',
  stop: 'stopped',
  cut: 'link cut',
  delay: 'delay',
  loss: 'loss',
  server: 'server restart',
  host: 'host killed',
  liar: 'liar',
  staller: 'staller',
  memory: 'memory refused',
};
