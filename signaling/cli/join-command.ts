import { hostname } from 'node:os';
import { readInvitation } from '../../web/session/links/link-address.ts';
import { joinSession } from '../../web/session/members.ts';
import type { Session, SessionView } from '../../web/session/view/view.ts';
import { defaultCacheFolder } from '../../worker/node/file-chunk-store.ts';
import { headlessEnvironment } from '../node/node-environment.ts';
import { onStop, type Stop } from '../node/stopping.ts';
import type { Transfer } from '../protocol/room-view.ts';
import { ENGINE_CHOICES } from '../protocol/words/engines.ts';
import {
  byteCount,
  CommandError,
  cacheFolder,
  LEAST_MEMORY_BYTES,
  MOST_MEMORY_BYTES,
  number,
  oneOf,
  readArguments,
} from './command-line.ts';

const HELP = `Usage: tabloom join LINK [options]

Takes part in a session as a headless device, until the session ends or Ctrl-C.

  LINK            a session's link, as the page shows it: http://HOST:PORT/#room=CODE&secret=SECRET;
                  with the code alone (#room=CODE) the host has to let this device in
  --name NAME     what the others see (this machine's name)
  --slowdown X    compute X times slower than this machine can, to try a mixed fleet out (1)
  --processor-share X  other devices on this machine compute at the same time: everything takes X times as long (1)
  --memory SIZE   the most memory that training may take: 300MB, 1.5GB, or a number of gigabytes (2)
  --engine E      ${ENGINE_CHOICES.join(', ')}: what this device computes on (auto: whatever is quicker here)
  --cache FOLDER  where models of a hub are kept for the next time, or none
                  (${defaultCacheFolder()})
  --allow-private read a model from this device's own network too, where the session says so;
                  otherwise from the internet and from the server's machine alone
  --relay         reach the host through the session's TURN server alone, which keeps this device's addresses from it
  --watch         watch only
  --help          show this
`;

export async function joinCommand(argv: string[]): Promise<number> {
  const { values, positionals } = readArguments(
    argv,
    {
      name: { type: 'string', default: hostname().slice(0, 40) },
      slowdown: { type: 'string', default: '1' },
      'processor-share': { type: 'string', default: '1' },
      memory: { type: 'string', default: '2' },
      engine: { type: 'string', default: 'auto' },
      cache: { type: 'string', default: defaultCacheFolder() },
      'allow-private': { type: 'boolean', default: false },
      relay: { type: 'boolean', default: false },
      watch: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
    { min: 1, max: 1, what: 'The link of a session, as its page and terminal show it,' },
  );
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [link] = positionals;
  const origin = originOf(link);
  const invitation = readInvitation(link);
  if (!invitation.ok) throw new CommandError(invitation.sentence);
  const slowdown = number('slowdown', values.slowdown, 1, 1000);
  const share = number('processor-share', values['processor-share'], 1, 1000);
  const memoryLimitBytes = byteCount('memory', values.memory, LEAST_MEMORY_BYTES, MOST_MEMORY_BYTES);
  const engine = oneOf('engine', values.engine, ENGINE_CHOICES);
  const name = values.name.trim().slice(0, 40) || 'headless';

  const environment = await headlessEnvironment(origin, {
    memoryLimitBytes,
    cacheFolder: cacheFolder(values.cache),
    allowPrivate: values['allow-private'],
    relayOnly: values.relay,
    engine,
  }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`No Tabloom server answers at ${origin} (${why}).`);
  });
  // It may become the session's host, or a device again.
  const joined = joinSession(environment, invitation, { name, watch: values.watch, slowdown });
  if (share > 1)
    void joined.pretend({ slowdown, share, memoryLimitBytes, uplinkBitsPerSecond: Number.POSITIVE_INFINITY });
  let session: Session = joined;
  const stopped: { why: Stop | null } = { why: null };
  const stopping = onStop((why) => {
    stopped.why = why;
    session.leave();
  });
  // Started by a process that is gone now.
  process.once('disconnect', () => session.leave());
  const sentence = await follow(session, (next) => {
    session = next;
  });
  stopping.off();
  process.stdout.write(`${sentence}\n`);
  // Somebody who asks it to leave gets what was asked for; a fault does not pass for that.
  if (stopped.why?.error) throw stopped.why.error;
  return session.view.room === null ? 2 : 0;
}

function originOf(link: string): string {
  try {
    const url = new URL(link);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error();
    return url.origin + url.pathname.replace(/\/[^/]*$/, '');
  } catch {
    throw new CommandError(`"${link}" is not a session link. It looks like http://HOST:PORT/#room=CODE.`);
  }
}

/** Prints what changes until the session ends; resolves with why. */
function follow(first: Session, onNext: (session: Session) => void): Promise<string> {
  let said = '';
  let proved = '';
  let notices = 0;
  const say = (line: string): void => {
    if (line !== said) process.stdout.write(`${line}\n`);
    said = line;
  };
  return new Promise((resolve) => {
    const show = (view: SessionView): void => {
      for (const notice of view.notices.filter((n) => n.id > notices)) {
        notices = notice.id;
        process.stdout.write(`${notice.sentence}\n`);
      }
      const proof = proofLine(view);
      if (proof !== '' && proof !== proved) process.stdout.write(`${proof}\n`);
      proved = proof;
      say(statusLine(view));
      if (view.ended !== null) resolve(view.ended);
    };
    const watch = (session: Session): void => {
      notices = 0;
      const off = session.subscribe(show);
      session.onSuccessor?.((next) => {
        off();
        onNext(next.session);
        watch(next.session);
      });
      show(session.view);
    };
    watch(first);
  });
}

/** What a device without the link has to be told; nothing where both sides know the secret. */
function proofLine({ proofs, self }: SessionView): string {
  const own = proofs[self];
  if (own?.proof === 'compared') return 'The host has compared the digits: nobody sits between the two of you.';
  if (own?.proof !== 'not proven' || own.digits === null) return '';
  const digits = `${own.digits.slice(0, 3)} ${own.digits.slice(3)}`;
  return `Compare with the host's screen: it shows ${digits} for this device, unless somebody sits between the two of you.`;
}

/** Says something new after every tenth. */
function loadingLine(transfer: Transfer | undefined): string {
  if (transfer === undefined || transfer.bytes === 0) return 'Loading the model …';
  const { bytes, totalBytes, remark } = transfer;
  const tenths = Math.floor((10 * bytes) / Math.max(1, totalBytes));
  return `Loading the model: ${10 * tenths} % of ${Math.ceil(totalBytes / 1e6)} MB${remark === undefined ? '' : `. ${remark}`}`;
}

function statusLine({ status, room, self, server, atDoor }: SessionView): string {
  if (atDoor !== null) return `Waiting: ${atDoor}`;
  if (server === 'reconnecting') return 'The server does not answer; trying again.';
  switch (status.kind) {
    case 'joining':
      return 'Joining …';
    case 'loading':
      return loadingLine(status.transfer);
    case 'profiling':
      return 'Measuring this device …';
    case 'measured':
      return 'Measured; waiting for the part of the model that it is to hold.';
    case 'paused':
      return 'Paused; it holds no part of the work.';
    case 'watching':
      return 'Watching.';
    case 'failed':
      return `This device cannot train: ${status.sentence}`;
    case 'ready': {
      const mine = room?.plan?.assignments.find((a) => a.device === self);
      if (mine === undefined) return 'Ready; the plan does not need this device now.';
      const parts = [...(mine.head ? ['the head'] : []), ...mine.layers.map((layer) => `layer ${layer}`)];
      return `Training ${parts.join(', ')}.`;
    }
  }
}
