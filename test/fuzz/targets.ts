import { parseProblemText } from '../../signaling/cli/problem-file.ts';
import { parseIntroductionMessage } from '../../signaling/connection/introduction-messages.ts';
import { parseProblem } from '../../signaling/planner/problem/parse.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { readMessage } from '../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame, Reassembler } from '../../signaling/protocol/exchange/frames.ts';
import {
  entryVersion,
  type Parsed,
  parseClientMessage,
  parseServerMessage,
} from '../../signaling/protocol/messages.ts';
import { POLICIES } from '../../signaling/protocol/settings.ts';
import { SentenceError } from '../../signaling/protocol/text/sentence-error.ts';
import { invitationOfFragment, readInvitation } from '../../web/session/links/link-address.ts';
import { beginProof, type LinkEnd, type ProofTerms, stepProof } from '../../web/session/links/proof.ts';
import { readHostKey } from '../../web/session/own/host-key.ts';
import { historyOf, readNote } from '../../web/session/own/session-note.ts';
import { readAdapter } from '../../worker/adapter/import-adapter.ts';
import { compilePattern } from '../../worker/adapter/module-pattern.ts';
import { readTaskFile } from '../../worker/adapter/task-file.ts';
import { classNames } from '../../worker/data/own-task.ts';
import { httpSource } from '../../worker/files/http-source.ts';
import { decodeCheckpoint } from '../../worker/host/checkpoint.ts';
import { parseModelConfig } from '../../worker/model/config.ts';
import { parseHeader } from '../../worker/model/safetensors.ts';
import { readTable } from '../../worker/table/read-table.ts';
import { createTokenizer } from '../../worker/tokenizer/tokenizer.ts';
import { CLIENT_MESSAGES, SERVER_MESSAGES } from '../protocol/message-samples.ts';
import { CoreTarget } from './core-target.ts';
import { type Draw, mutatedBytes, mutatedJson } from './mutate.ts';
import {
  ADAPTER,
  CHECKPOINTS,
  FRAMES,
  MODEL_CONFIG,
  NOTE,
  PROBLEMS,
  SAFETENSORS,
  SHAPE,
  SIZES,
  SLICES,
  TABLES,
  TENSORS,
  TOKENIZERS,
  typeOf,
} from './seeds.ts';

/** A reader of what comes from outside, with inputs that it takes. */
export interface Target {
  readonly name: string;
  /** How many of a thousand inputs are for it: cheap readers get more. */
  readonly weight: number;
  /** Inputs that it takes. */
  readonly valid: readonly Uint8Array[];
  /** An input made from them. */
  readonly make: (draw: Draw) => Uint8Array;
  /** Names of errors that it declares, besides plain `Error` with a sentence. What it returns is not looked at, but must be settled. */
  readonly read: (input: Uint8Array, draw: Draw) => unknown;
}

const utf8 = new TextEncoder();
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const pick = <T>(draw: Draw, from: readonly T[]): T => from[draw(from.length)]!;

const jsonFrom = (seeds: readonly unknown[]): Pick<Target, 'valid' | 'make'> => ({
  valid: seeds.map((seed) => utf8.encode(JSON.stringify(seed))),
  make: (draw) => utf8.encode(mutatedJson(draw, pick(draw, seeds))),
});
const bytesFrom = (seeds: readonly Uint8Array[]): Pick<Target, 'valid' | 'make'> => ({
  valid: seeds,
  make: (draw) => mutatedBytes(draw, pick(draw, seeds), pick(draw, seeds)),
});

/** What is refused is refused in one sentence; what is accepted comes back as it was written. */
function sentenceOr<T>(parsed: Parsed<T>, again: (text: string) => Parsed<T>): void {
  if (!parsed.ok) {
    throw new Error(parsed.sentence);
  }
  if (!again(JSON.stringify(parsed.value)).ok)
    throw new TypeError('What was accepted is refused when it is said again.');
}

const parsedJson = (input: Uint8Array): unknown => {
  try {
    return JSON.parse(textOf(input)) as unknown;
  } catch {
    return undefined;
  }
};

const proofTerms = (own: LinkEnd): ProofTerms => ({
  own,
  room: 'abc234',
  host: 'hosthost',
  device: 'abcdefgh',
  ownFingerprint: own,
  otherFingerprint: own === 'host' ? 'device' : 'host',
  keys: { secret: new Uint8Array(32).fill(own === 'host' ? 1 : 2) },
  expected: true,
  nonce: new Uint8Array(32).fill(own === 'host' ? 3 : 4),
  digitsNonce: new Uint8Array(32).fill(5),
});
const NO_SESSION = { alpha: 16, model: null, dropout: null };
const LINKS = [
  'https://example.org/#room=abc234&secret=0123456789abcdefghjkmnpqrs',
  'abc-234',
  'Come: <https://example.org/#room=abc234>, soon.',
  '#room%3Dabc234%26secret%3D0123456789abcdefghjkmnpqrs',
].map((text) => utf8.encode(text));
const PEER_MESSAGES = [
  { type: 'HEARTBEAT' },
  { type: 'LEAVE', dst: 'xyz123' },
  {
    type: 'OFFER',
    dst: 'xyz123',
    payload: {
      sdp: { type: 'offer', sdp: 'v=0\r\n' },
      type: 'data',
      connectionId: 'dc_1',
      label: 'dc_1',
      reliable: true,
      serialization: 'binary',
    },
  },
  {
    type: 'CANDIDATE',
    dst: 'xyz123',
    payload: {
      candidate: { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 },
      type: 'data',
      connectionId: 'dc_1',
    },
  },
];
const PATTERNS = [
  '.*\\.(query|value)',
  '^roberta\\.encoder\\.layer\\.[0-9]+\\.attention\\.self\\.(?:query|key)$',
  '(a|b)*c{1,3}',
].map((text) => utf8.encode(text));
const TASK_FILES = [{ kind: 'classification', classNames: ['a', 'b'], threshold: 0.5, maxTokens: 64 }];
const MODULE = 'roberta.encoder.layer.11.attention.self.query'.repeat(4);

/** Every cell of every row, and the classes of the last column. */
async function wholeTable(input: Uint8Array): Promise<void> {
  const table = await readTable('table.csv', input);
  for (const row of table.rows()) for (let i = 0; i < table.columns.length; i++) row.cell(i);
  classNames(table, table.columns.at(-1) ?? '');
}

/** A server's answers, made of the input: status, size and range from its head, then the body, in pieces. */
async function throughHttp(input: Uint8Array, draw: Draw): Promise<void> {
  const answer = (): Response => {
    const status = pick(draw, [200, 206, 206, 206, 204, 301, 403, 404, 416]);
    const told = pick(draw, [`${input.length}`, '0', '-1', '1e9', '', '99999999999999999999', 'x']);
    const headers = {
      'content-length': told,
      ...(draw(4) > 0 && { 'content-range': `bytes ${draw(3)}-${draw(4)}/${pick(draw, [told, '*', '5'])}` }),
      ...(draw(3) === 0 && { etag: '"x"' }),
    };
    if (status === 204 || status === 301) return new Response(null, { status, headers });
    return new Response(input.slice(0, draw(input.length + 1)), { status, headers });
  };
  const source = await httpSource('https://hub.example/file', async () => answer());
  await source.read(0, Math.min(source.size, 64));
}

export const TARGETS: readonly Target[] = [
  {
    name: 'client messages',
    weight: 170,
    ...jsonFrom(CLIENT_MESSAGES),
    read: (input) => {
      const text = textOf(input);
      entryVersion(text);
      sentenceOr(parseClientMessage(text), parseClientMessage);
    },
  },
  {
    name: 'server messages',
    weight: 130,
    ...jsonFrom(SERVER_MESSAGES),
    read: (input) => sentenceOr(parseServerMessage(textOf(input)), parseServerMessage),
  },
  {
    name: 'introductions',
    weight: 60,
    ...jsonFrom(PEER_MESSAGES),
    read: (input) => sentenceOr(parseIntroductionMessage(textOf(input)), parseIntroductionMessage),
  },
  new CoreTarget(60, CLIENT_MESSAGES),
  {
    name: 'data messages',
    weight: 140,
    ...bytesFrom(FRAMES),
    read: (input) => {
      readMessage(decodeFrame(Uint8Array.from(input)), SIZES);
    },
  },
  {
    name: 'data headers',
    weight: 60,
    ...jsonFrom(FRAMES.map((frame) => decodeFrame(frame).header)),
    read: (input) => {
      const header = parsedJson(input);
      readMessage({ header, tensors: TENSORS.get(typeOf(header)) ?? [] }, SIZES);
    },
  },
  {
    name: 'proofs of a link',
    weight: 20,
    ...jsonFrom([
      beginProof(proofTerms('device')).effects.flatMap((effect) => (effect.type === 'send' ? [effect.header] : [])),
    ]),
    read: (input) => {
      const headers = parsedJson(input);
      let { state } = beginProof(proofTerms('host'));
      for (const header of Array.isArray(headers) ? headers : [headers]) {
        const stepped = stepProof(state, header);
        state = stepped.state;
        for (const effect of stepped.effects) {
          // Nobody who does not know the secret is let in.
          if (effect.type === 'open') throw new TypeError('A link was opened without a proof.');
          if (effect.type === 'end') throw new Error(effect.sentence);
        }
      }
    },
  },
  {
    name: 'slices',
    weight: 60,
    ...bytesFrom(SLICES),
    read: (input) => {
      const reassembler = new Reassembler(4 * 2 ** 20);
      for (let at = 0; at + 2 <= input.length; ) {
        const length = (input[at]! << 8) + input[at + 1]!;
        reassembler.add(Uint8Array.from(input.subarray(at + 2, at + 2 + length)), 0);
        at += 2 + length;
      }
    },
  },
  {
    name: 'safetensors headers',
    weight: 90,
    ...bytesFrom(SAFETENSORS),
    read: (input) => parseHeader(input, input.length),
  },
  {
    name: 'checkpoints',
    weight: 40,
    ...bytesFrom(CHECKPOINTS),
    read: (input) => readNote(decodeCheckpoint(input).note),
  },
  {
    name: 'notes',
    weight: 30,
    ...jsonFrom([NOTE]),
    read: (input) => historyOf(readNote(textOf(input)).note.log, 3),
  },
  {
    name: 'host keys',
    weight: 20,
    ...jsonFrom([{ format: 'tabloom-key-1', id: 'hosthost', key: 'k'.repeat(32), room: 'abc234' }]),
    read: (input) => readHostKey(textOf(input), 'hosthost'),
  },
  {
    name: 'adapter configurations',
    weight: 20,
    ...jsonFrom([parsedJson(ADAPTER[0]!.bytes)]),
    read: (input) => readAdapter([{ ...ADAPTER[0]!, bytes: input }, ADAPTER[1]!], SHAPE, NO_SESSION),
  },
  {
    name: 'adapter tensors',
    weight: 20,
    ...bytesFrom([ADAPTER[1]!.bytes]),
    read: (input) => readAdapter([ADAPTER[0]!, { ...ADAPTER[1]!, bytes: input }], SHAPE, NO_SESSION),
  },
  {
    name: 'module patterns',
    weight: 20,
    ...bytesFrom(PATTERNS),
    read: (input) => compilePattern(textOf(input))(MODULE),
  },
  { name: 'task files', weight: 10, ...jsonFrom(TASK_FILES), read: (input) => readTaskFile(input) },
  {
    name: 'model configurations',
    weight: 20,
    ...jsonFrom([MODEL_CONFIG]),
    read: (input) => parseModelConfig(parsedJson(input)),
  },
  {
    name: 'tokenizers',
    weight: 3,
    ...jsonFrom(TOKENIZERS),
    read: (input) => {
      const tokenizer = createTokenizer(parsedJson(input), SHAPE.vocabSize);
      tokenizer.encode('Hello  wörld, \ud800 e\u0301\u200b 𝔸!', 'two', 16);
    },
  },
  { name: 'tables', weight: 30, ...bytesFrom(TABLES), read: wholeTable },

  {
    name: 'plan problems',
    weight: 15,
    ...jsonFrom(PROBLEMS),
    read: (input, draw) => {
      const problem = parseProblem(parseProblemText(input));
      const answer = solve(problem, pick(draw, POLICIES), { seed: 1 });
      if (answer.feasible && !Number.isFinite(answer.latencySeconds)) throw new TypeError('A plan takes for ever.');
    },
  },
  {
    name: 'links and codes',
    weight: 15,
    ...bytesFrom(LINKS),
    read: (input) => {
      const text = textOf(input);
      invitationOfFragment(text);
      readInvitation(text);
    },
  },
  // An answer of a server may be no answer, whatever its body.
  { name: 'hub answers', weight: 3, valid: [], make: bytesFrom(SAFETENSORS).make, read: throughHttp },
];

/** Errors with a sentence for people, on one line; every other error is a crash. */
export const isDeclared = (error: unknown): error is Error =>
  error instanceof Error &&
  (error.constructor === Error || error instanceof SentenceError) &&
  /^[^\p{Cc}]{1,1000}$/u.test(error.message);
