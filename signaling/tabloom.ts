import { CommandError } from './cli/command-line.ts';
import { COMMANDS } from './commands.ts';
import { visible, visibleLines } from './protocol/text/visible.ts';

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

// A terminal that was closed, or a reader such as `head` that has enough: the work goes on, and what is written ends nothing.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

let code: number;
try {
  code = await main(process.argv.slice(2));
} catch (error) {
  // A CommandError is the person's to mend; anything else is ours, with its stack.
  process.stderr.write(
    `tabloom: ${error instanceof CommandError ? visible(error.message) : visibleLines(String(error instanceof Error ? error.stack : error))}\n`,
  );
  code = error instanceof CommandError ? 2 : 70;
}
// PeerServer's clean-up timers and wrtc's threads would keep the process alive for ever. What was written goes out first.
process.stdout.write('', () => process.exit(code));
