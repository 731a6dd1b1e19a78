import { CommandError } from './cli/command-line.ts';

/** One line each; a command's own `--help` tells the rest. */
const COMMANDS: Readonly<
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
  verify: {
    summary: 'check every engine of this machine against results of PyTorch',
    load: async () => (await import('./cli/verify-command.ts')).verifyCommand,
  },
  simulate: {
    summary: 'compare planning policies on drawn fleets of devices',
    load: async () => (await import('./cli/simulate-command.ts')).simulateCommand,
  },
};

const HELP = `Usage: tabloom COMMAND [options]

Fine-tune a foundation model together, in browser tabs.

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

tabloom COMMAND --help tells a command's options.
`;

async function main([name, ...argv]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined)
    throw new CommandError(`There is no command "${name}". The commands are ${Object.keys(COMMANDS).join(', ')}.`);
  return (await command.load())(argv);
}

let code: number;
try {
  code = await main(process.argv.slice(2));
} catch (error) {
  // A CommandError is the person's to mend; anything else is ours, with its stack.
  process.stderr.write(
    `tabloom: ${error instanceof CommandError ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  code = error instanceof CommandError ? 2 : 70;
}
// PeerServer's clean-up timers and wrtc's threads would keep the process alive for ever. What was written goes out first.
process.stdout.write('', () => process.exit(code));
