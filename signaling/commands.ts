/** Every command, with one line about it; its own `--help` tells the rest, and its code is loaded when it is asked for. */
export const COMMANDS: Readonly<
  Record<string, { readonly summary: string; load(): Promise<(argv: string[]) => Promise<number>> }>
> = {
  serve: {
    summary: 'serve the page, the rooms and the planner on one port',
    load: async () => (await import('./cli/serve-command.ts')).serveCommand,
  },
  demo: {
    summary: 'a whole session on this machine: server, host and headless devices fine-tune together',
    load: async () => (await import('./cli/demo/demo-command.ts')).demoCommand,
  },
  predict: {
    summary: 'answer every row of a table with an adapter',
    load: async () => (await import('./cli/predict-command.ts')).predictCommand,
  },
  join: {
    summary: 'take part in a session as a headless device',
    load: async () => (await import('./cli/join-command.ts')).joinCommand,
  },
  cache: {
    summary: 'say which models are kept on this machine, or delete them',
    load: async () => (await import('./cli/cache-command.ts')).cacheCommand,
  },
  plan: {
    summary: 'solve a planning problem from a file',
    load: async () => (await import('./cli/plan-command.ts')).planCommand,
  },
  table: {
    summary: "say what a table of one's own is read as, without training",
    load: async () => (await import('./cli/table-command.ts')).tableCommand,
  },
  verify: {
    summary: 'check every engine of this machine against results of PyTorch',
    load: async () => (await import('./cli/verify-command.ts')).verifyCommand,
  },
  simulate: {
    summary: 'compare planning policies on drawn fleets of devices',
    load: async () => (await import('./cli/simulate-command.ts')).simulateCommand,
  },
};
