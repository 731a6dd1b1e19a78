import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { correction, generate } from 'lean-qr';
import { lanAddresses, localAddress, ROOT_FOLDER } from '../server/addresses.ts';
import { localModelId, type RunningServer, startServer } from '../server/server.ts';
import { CommandError, readArguments, wholeNumber } from './command-line.ts';

const HELP = `Usage: tabloom serve [options]

Serves the page, PeerServer, the rooms and the planner: one process, one port.

  --port N        port to listen on (8787)
  --host ADDRESS  interface to listen on (127.0.0.1; 0.0.0.0 lets phones on the same network in)
  --hub FOLDER    serve a folder laid out like the Hugging Face hub under /hub, for models and data
  --model FOLDER  serve a model's own folder (config.json, tokenizer.json, model.safetensors) there, as local/NAME
  --ice URL       STUN or TURN server for the browsers, as stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT;
                  may be repeated; none by default
  --help          show this
`;

export async function serveCommand(argv: string[]): Promise<number> {
  const { values } = readArguments(
    argv,
    {
      port: { type: 'string', default: '8787' },
      host: { type: 'string', default: '127.0.0.1' },
      hub: { type: 'string' },
      model: { type: 'string' },
      ice: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h' },
    },
    { min: 0, max: 0 },
  );
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const port = wholeNumber('port', values.port, 0, 65535);
  const { hub = null, model = null } = values;
  const server = await openServer({ port, host: values.host, hub, model, ice: values.ice });
  if (!existsSync(join(ROOT_FOLDER, 'dist', 'index.html')))
    process.stdout.write(
      'The page is not built yet: run "npm run build" first. Headless devices can join all the same.\n',
    );
  process.stdout.write(welcome(values.host, server.port));
  if (model !== null) {
    const where = `repository ${localModelId(model)} of the hub ${localAddress(values.host, server.port)}/hub`;
    process.stdout.write(`  The model in ${model} is ${where}.\n\n`);
  }
  await new Promise<void>((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
  await server.close();
  return 0;
}

export interface OpenOptions {
  readonly port: number;
  readonly host: string;
  readonly hub: string | null;
  /** A model's own folder. */
  readonly model: string | null;
  readonly ice: readonly string[];
  readonly log?: (line: string) => void;
}

/** startServer with the project's own folders, its failures as CommandErrors. */
export async function openServer({ port, host, hub, model, ice, log }: OpenOptions): Promise<RunningServer> {
  if (hub !== null && !existsSync(hub)) throw new CommandError(`There is no folder "${hub}" for --hub.`);
  if (model !== null && !existsSync(join(model, 'config.json')))
    throw new CommandError(
      `There is no config.json in "${model}" for --model; name the folder that holds a model's files.`,
    );
  const page = join(ROOT_FOLDER, 'dist');
  try {
    return await startServer({
      port,
      host,
      pageFolder: existsSync(page) ? page : null,
      modelsFolder: join(ROOT_FOLDER, 'models'),
      hubFolder: hub === null ? null : resolve(hub),
      modelFolder: model === null ? null : resolve(model),
      iceServers: ice.map(readIceServer),
      log: log ?? ((line) => process.stdout.write(`${line}\n`)),
    });
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  }
}

function readIceServer(text: string): { urls: string; username?: string; credential?: string } {
  const match = /^(stuns?|turns?):(?:([^:@]+):([^@]+)@)?([^@\s]+)$/.exec(text);
  if (match === null)
    throw new CommandError(`--ice must look like stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT, not "${text}".`);
  const [, scheme, username, credential, rest] = match;
  const urls = `${scheme}:${rest}`;
  return username === undefined || credential === undefined ? { urls } : { urls, username, credential };
}

/** What a person reads first: where to open the page, and how a phone gets there. */
export function welcome(host: string, port: number): string {
  const lines = ['', `  Tabloom is open at  ${localAddress(host, port)}`];
  const [lan, ...others] = lanAddresses(host, port);
  if (lan === undefined) lines.push('  For phones on the same network, start it with --host 0.0.0.0.');
  else {
    lines.push(`  On the same network ${lan}${others.map((a) => `, ${a}`).join('')}`, '');
    lines.push(terminalQr(lan));
  }
  return `${lines.join('\n')}\n\n`;
}

/** A QR code of half blocks, dark on light whatever the terminal's colours. */
export function terminalQr(text: string): string {
  const code = generate(text, { minCorrectionLevel: correction.L });
  const lines: string[] = [];
  for (let y = -2; y < code.size + 2; y += 2) {
    let line = '  \x1b[30;107m';
    for (let x = -2; x < code.size + 2; x++) {
      const [top, bottom] = [code.get(x, y), code.get(x, y + 1)];
      line += top ? (bottom ? '█' : '▀') : bottom ? '▄' : ' ';
    }
    lines.push(`${line}\x1b[0m`);
  }
  return lines.join('\n');
}
