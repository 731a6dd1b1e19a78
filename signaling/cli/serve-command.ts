import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { correction, generate } from 'lean-qr';
import { onStop, type Stop } from '../node/stopping.ts';
import { isLoopback, lanAddresses, localAddress, ROOT_FOLDER } from '../server/addresses.ts';
import { DEFAULT_HUB_ENDPOINTS, localModelId } from '../server/page.ts';
import { type RunningServer, type ServerOptions, startServer } from '../server/server.ts';
import { defaultStateFolder, keptSecret } from '../server/server-secret.ts';
import { filedCertificates, fingerprintOf, machineCertificates } from '../server/tls/certificates.ts';
import type { Certificates } from '../server/tls/renewing.ts';
import { CommandError, readArguments, wholeNumber } from './command-line.ts';
import { limitsHelp, readIceServer, readLimits, readOrigin, readPublicUrl, readShare } from './serve-options.ts';

const HELP = `Usage: tabloom serve [options]

Serves the page, the rooms, introductions and the planner: one process, one port.

  --port N        port to listen on (8787)
  --host ADDRESS  interface to listen on (127.0.0.1; 0.0.0.0 lets phones on the same network in)
  --lan           the same as --host 0.0.0.0. Phones get https on the same port, with a certificate made here
  --http          no https: such phones train without WebGPU and keep nothing
  --cert FILE, --key FILE   a certificate of your own and its private key, as PEM
  --hub FOLDER    serve a folder laid out like the Hugging Face hub under /hub, for models and data
  --model FOLDER  serve a model's own folder (config.json, tokenizer.json, model.safetensors) there, as local/NAME
  --ice URL       STUN or TURN server for the browsers, as stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT;
                  may be repeated; none by default
  --turn-secret S what a TURN server of --ice shares with this one (coturn's static-auth-secret): devices are given
                  credentials that are good for an hour; also read from TABLOOM_TURN_SECRET
  --hub-endpoint URL   a hub that pages may fetch models and data from besides this server; may be repeated
                  (${DEFAULT_HUB_ENDPOINTS.join(', ')})
  --public-url URL     where people open the page behind a proxy, with its path: https://example.org/tabloom/
  --allow-origin URL   a page elsewhere that may connect, and a name of this server behind a proxy; may be repeated
  --trust-proxy   believe the X-Forwarded-For header: only where a proxy in front of the server writes it
  --share K/N     the K-th of N processes behind one proxy, which leads by the code's first character (docs/deploy.md)
  --limit NAME=N  bounds other than these; may be repeated (rates for a second):
${limitsHelp()}
  --help          show this
`;

/**
 * By how much the heap may outgrow what is in use before it is collected. Left to itself the engine takes up to four times as much for a
 * server that many messages pass through; so it has half the memory for some hundredth parts more time.
 */
const HEAP_GROWING_PERCENT = 60;

export async function serveCommand(argv: string[]): Promise<number> {
  const { values } = readArguments(
    argv,
    {
      port: { type: 'string', default: '8787' },
      host: { type: 'string' },
      lan: { type: 'boolean', default: false },
      http: { type: 'boolean', default: false },
      cert: { type: 'string' },
      key: { type: 'string' },
      hub: { type: 'string' },
      model: { type: 'string' },
      ice: { type: 'string', multiple: true, default: [] },
      'turn-secret': { type: 'string' },
      'hub-endpoint': { type: 'string', multiple: true, default: [] },
      'allow-origin': { type: 'string', multiple: true, default: [] },
      'public-url': { type: 'string' },
      'trust-proxy': { type: 'boolean', default: false },
      share: { type: 'string' },
      limit: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h' },
    },
    { min: 0, max: 0 },
  );
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  const port = wholeNumber('port', values.port, 0, 65535);
  const { hub = null, model = null } = values;
  const host = values.host ?? (values.lan ? '0.0.0.0' : '127.0.0.1');
  const endpoints = values['hub-endpoint'].map((text) => readOrigin('hub-endpoint', text));
  const publicUrl = values['public-url'] === undefined ? null : readPublicUrl(values['public-url']);
  const secret = await keptSecret(defaultStateFolder());
  if (secret === null)
    process.stdout.write('The server cannot keep its secret: sessions do not keep their codes over a restart.\n');
  const certificates = await certificatesFor(host, publicUrl, values);
  const server = await openServer({
    port,
    host,
    certificates,
    hub,
    model,
    ice: values.ice,
    turnSecret: values['turn-secret'] ?? (process.env.TABLOOM_TURN_SECRET || null),
    hubEndpoints: endpoints.length === 0 ? DEFAULT_HUB_ENDPOINTS : endpoints,
    allowOrigins: values['allow-origin'].map((text) => readOrigin('allow-origin', text)),
    trustProxy: values['trust-proxy'],
    publicUrl,
    limits: readLimits(values.limit),
    ...(values.share !== undefined && { share: readShare(values.share) }),
    ...(secret !== null && { secret }),
  });
  if (!existsSync(join(ROOT_FOLDER, 'dist', 'index.html')))
    process.stdout.write(
      'The page is not built yet: run "npm run build" first. Headless devices can join all the same.\n',
    );
  process.stdout.write(welcome(host, server.port, publicUrl, certificates));
  if (model !== null) {
    const where = `repository ${localModelId(model)} of the hub ${localAddress(host, server.port)}/hub`;
    process.stdout.write(`  The model in ${model} is ${where}.\n\n`);
  }
  const { error } = await new Promise<Stop>((done) => onStop(done));
  await server.close();
  if (error !== null) throw error;
  return 0;
}

/** Https where others than this machine are let in, unless a proxy does it, or it is refused. */
async function certificatesFor(
  host: string,
  publicUrl: string | null,
  { http, cert, key }: { readonly http: boolean; readonly cert?: string; readonly key?: string },
): Promise<Certificates | null> {
  if ((cert === undefined) !== (key === undefined)) throw new CommandError('--cert and --key go together.');
  if (cert !== undefined && key !== undefined) {
    if (http) throw new CommandError('--http refuses the https that --cert and --key are for.');
    return filedCertificates(cert, key).catch((error: Error) => {
      throw new CommandError(error.message);
    });
  }
  if (http || publicUrl !== null || isLoopback(host)) return null;
  const made = await machineCertificates();
  if (made === null)
    process.stdout.write('No certificate can be kept here, so there is no https: phones train without WebGPU.\n');
  return made;
}

export interface OpenOptions
  extends Pick<
    ServerOptions,
    | 'turnSecret'
    | 'hubEndpoints'
    | 'allowOrigins'
    | 'trustProxy'
    | 'limits'
    | 'secret'
    | 'publicUrl'
    | 'certificates'
    | 'share'
  > {
  readonly port: number;
  readonly host: string;
  readonly hub: string | null;
  /** A model's own folder. */
  readonly model: string | null;
  readonly ice: readonly string[];
  readonly log?: (line: string) => void;
}

/** startServer with the project's own folders, its failures as CommandErrors. */
export async function openServer({ hub, model, ice, log, ...rest }: OpenOptions): Promise<RunningServer> {
  if (hub !== null && !existsSync(hub)) throw new CommandError(`There is no folder "${hub}" for --hub.`);
  if (model !== null && !existsSync(join(model, 'config.json')))
    throw new CommandError(
      `There is no config.json in "${model}" for --model; name the folder that holds a model's files.`,
    );
  const page = join(ROOT_FOLDER, 'dist');
  try {
    return await startServer({
      ...rest,
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

/** What a person reads first: where to open the page, and how a phone gets there. */
export function welcome(
  host: string,
  port: number,
  publicUrl: string | null,
  certificates: Certificates | null,
): string {
  const lines = ['', `  Tabloom is open at  ${localAddress(host, port)}`];
  const [lan, ...others] = lanAddresses(host, port, certificates === null ? 'http' : 'https');
  if (publicUrl !== null) lines.push(`  To the world it is  ${publicUrl}`, '', terminalQr(publicUrl));
  else if (lan === undefined) lines.push('  For phones on the same network, start it with --lan.');
  else {
    lines.push(`  On the same network ${lan}${others.map((a) => `, ${a}`).join('')}`, '');
    lines.push(terminalQr(lan));
    const authority = certificates?.authority ?? null;
    if (authority !== null)
      lines.push(
        '',
        '  Phones warn of a certificate that nobody vouches for: open the details of the warning and visit the page.',
        `  ${lan}/trust.html says how, and how to be warned no more. Fingerprint of this machine's authority:`,
        `  ${fingerprintOf(authority)}`,
      );
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
