import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import type { Step } from '../../../signaling/protocol/round.ts';
import { PROTOCOL_VERSION, versionProblem } from '../../../signaling/protocol/version.ts';
import * as say from '../../words/session/links.ts';

/**
 * How the two ends of a data channel learn that nobody sits between them, the server included. Whoever introduces two devices could connect to
 * both and pass on what they say; then each end sees another certificate than the one that the other end has. So both say what they see.
 *
 * Each end opens with a hello: its role, a nonce, which keys it could prove by; the host's also commits to a second nonce. Then
 *
 *   with a common key (the session's secret, or one that was agreed on when digits were compared): each sends
 *     HMAC-SHA256(key, its role, room, both ids, both certificates as it sees them, both hellos).
 *     What is bound cannot be another connection's, another role's, or of another time: one round trip.
 *   without: the device sends its second nonce, the host opens its commitment, and both derive six digits from all of the above, for people to
 *     compare. Who sits between had to choose what the device sees before it knew what the host would see, and the other way round, so
 *     that the digits agree once in a million tries.
 *
 * Nothing else is said before. A later connection of the same two begins again.
 */
export type LinkEnd = 'host' | 'device';
/** By what an end can prove itself, the first that both have. */
const KEYS = ['secret', 'compared'] as const;
export type ProofKey = (typeof KEYS)[number];
export type Proof = ProofKey | 'not proven';

export interface ProofTerms {
  readonly own: LinkEnd;
  readonly room: string;
  /** Ids of the two devices, as the room has them. */
  readonly host: string;
  readonly device: string;
  /** The certificates' fingerprints in this end's descriptions of the connection. */
  readonly ownFingerprint: string;
  readonly otherFingerprint: string;
  readonly keys: Readonly<Partial<Record<ProofKey, Uint8Array>>>;
  /** The link ends where the other side proves nothing. */
  readonly expected: boolean;
  /** 32 random bytes each, of this connection alone. */
  readonly nonce: Uint8Array;
  readonly digitsNonce: Uint8Array;
}

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
/** A later version may add fields, which tell an older reader nothing. */
const HelloSchema = v.looseObject({
  type: v.literal('hello'),
  protocol: v.literal(PROTOCOL_VERSION),
  role: v.picklist(['host', 'device']),
  nonce: hash,
  keys: v.pipe(v.array(v.picklist(KEYS)), v.maxLength(KEYS.length)),
  /** Of the host: the hash of the nonce that it will open. */
  commitment: v.nullable(hash),
});
type Hello = v.InferOutput<typeof HelloSchema>;
const ProofSchema = v.strictObject({ type: v.literal('proof'), mac: hash });
const NonceSchema = v.strictObject({ type: v.literal('digits'), nonce: hash });

export type ProofState =
  | { readonly stage: 'greeting'; readonly terms: ProofTerms; readonly own: Hello }
  | { readonly stage: 'proving'; readonly terms: ProofTerms; readonly by: ProofKey; readonly expectedMac: string }
  | { readonly stage: 'comparing'; readonly terms: ProofTerms; readonly host: Hello; readonly device: Hello }
  | { readonly stage: 'over' };

/** The header of a frame that came. */
export type ProofEvent = unknown;

export type ProofEffect =
  | { readonly type: 'send'; readonly header: object }
  | { readonly type: 'open'; readonly proof: Proof; readonly digits: string | null }
  | { readonly type: 'end'; readonly sentence: string };

type Stepped = ReturnType<Step<ProofState, ProofEvent, ProofEffect>>;

const BETWEEN = say.somebodyMaySitBetween;
const UNPROVEN = say.theOtherDeviceDidNot;
const DISORDER = say.theOtherDeviceSpokeBefore;

export function beginProof(terms: ProofTerms): Stepped {
  const own: Hello = {
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    role: terms.own,
    nonce: bytesToHex(terms.nonce),
    keys: KEYS.filter((key) => terms.keys[key] !== undefined),
    commitment: terms.own === 'host' ? commitmentTo(bytesToHex(terms.digitsNonce)) : null,
  };
  return { state: { stage: 'greeting', terms, own }, effects: [{ type: 'send', header: own }] };
}

export function stepProof(state: ProofState, header: ProofEvent): Stepped {
  switch (state.stage) {
    case 'greeting':
      return greeted(state, header);
    case 'proving': {
      const read = v.safeParse(ProofSchema, header);
      if (!read.success) return end(DISORDER);
      if (!isSame(read.output.mac, state.expectedMac)) return end(BETWEEN);
      return over({ type: 'open', proof: state.by, digits: null });
    }
    case 'comparing':
      return compared(state, header);
    case 'over':
      return { state, effects: [] };
    default:
      return state satisfies never;
  }
}

function greeted({ terms, own }: Extract<ProofState, { stage: 'greeting' }>, header: unknown): Stepped {
  const version = v.safeParse(v.looseObject({ type: v.literal('hello'), protocol: v.number() }), header);
  const problem = versionProblem(version.success ? version.output.protocol : null, say.theOtherDevice);
  if (problem !== null) return end(problem);
  const read = v.safeParse(HelloSchema, header);
  if (!read.success) return end(DISORDER);
  const other = read.output;
  const isPair = other.role !== own.role && (other.role === 'host') === (other.commitment !== null);
  // The same nonce is what this end said itself.
  if (!isPair || other.nonce === own.nonce) return end(DISORDER);
  const [host, device] = own.role === 'host' ? [own, other] : [other, own];
  const by = KEYS.find((key) => own.keys.includes(key) && other.keys.includes(key));
  const key = by && terms.keys[by];
  if (by === undefined || key === undefined) {
    if (terms.expected) return end(UNPROVEN);
    const state: ProofState = { stage: 'comparing', terms, host, device };
    return { state, effects: own.role === 'device' ? [nonceOf(terms)] : [] };
  }
  const mac = (role: LinkEnd): string =>
    bytesToHex(hmac(sha256, key, bound(['tabloom proof 1', role, by], terms, host, device)));
  return {
    state: { stage: 'proving', terms, by, expectedMac: mac(other.role) },
    effects: [{ type: 'send', header: { type: 'proof', mac: mac(own.role) } }],
  };
}

function compared({ terms, host, device }: Extract<ProofState, { stage: 'comparing' }>, header: unknown): Stepped {
  const read = v.safeParse(NonceSchema, header);
  if (!read.success) return end(DISORDER);
  const ownNonce = bytesToHex(terms.digitsNonce);
  const isHost = terms.own === 'host';
  const [hostNonce, deviceNonce] = isHost ? [ownNonce, read.output.nonce] : [read.output.nonce, ownNonce];
  if (!isHost && !isSame(commitmentTo(hostNonce), host.commitment ?? '')) return end(BETWEEN);
  const opened: ProofEffect = {
    type: 'open',
    proof: 'not proven',
    digits: digitsOf(bound(['tabloom digits 1', hostNonce, deviceNonce], terms, host, device)),
  };
  // The host opens its commitment only now that the device's nonce cannot depend on it.
  return over(...(isHost ? [nonceOf(terms), opened] : [opened]));
}

/** Everything that the two ends must see alike, written so that no two things are written alike. */
function bound(what: readonly string[], terms: ProofTerms, host: Hello, device: Hello): Uint8Array {
  const { room, ownFingerprint, otherFingerprint } = terms;
  const isHost = terms.own === 'host';
  const certificates = isHost ? [ownFingerprint, otherFingerprint] : [otherFingerprint, ownFingerprint];
  const said = [host, device].map((hello) => [hello.role, hello.protocol, hello.nonce, hello.keys, hello.commitment]);
  return utf8ToBytes(JSON.stringify([what, room, terms.host, terms.device, certificates, said]));
}

const commitmentTo = (nonce: string): string => bytesToHex(sha256(utf8ToBytes(`tabloom commitment 1 ${nonce}`)));

/** Six digits; the modulo's bias is below one in 10^13. */
function digitsOf(bytes: Uint8Array): string {
  const number = new DataView(sha256(bytes).buffer).getBigUint64(0) % 1_000_000n;
  return number.toString().padStart(6, '0');
}

const nonceOf = ({ digitsNonce }: ProofTerms): ProofEffect => ({
  type: 'send',
  header: { type: 'digits', nonce: bytesToHex(digitsNonce) },
});

const over = (...effects: ProofEffect[]): Stepped => ({ state: { stage: 'over' }, effects });
const end = (sentence: string): Stepped => over({ type: 'end', sentence });

/** Where the two differ does not show in how long it takes to say so. */
function isSame(a: string, b: string): boolean {
  let different = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) different |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length));
  return different === 0;
}
