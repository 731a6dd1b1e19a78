import * as say from '../../words/session/links.ts';
import type { LinkCounts } from '../transport/link-state.ts';
import type { Listeners } from '../world/emitter.ts';
import { type LinkChannel, PROOF_BYTES } from './channel-link.ts';

/**
 * A connection that PeerJS made, out of PeerJS's hands: what a hostile other side could do to it there ends with the connection.
 */

/** A channel that was closed here is waited for so long; then the connection goes, whatever the other side says. */
const CLOSING_MS = 1000;
/** What the other side may say before this side knows who it is: how it greets, and proves itself. */
const MAX_EARLY_MESSAGES = 4;

/** One in-band channel is PeerJS's own; whoever opens another one, or sends pictures or sound, is no device of ours. */
const EXTRA_CHANNEL = say.theOtherSideOpened;
const MEDIA = say.theOtherSideSendsPictures;

export interface AddressConnection {
  readonly peer: string;
  /** PeerJS's: what the introduction server says of this connection. */
  handleMessage?: unknown;
  /** PeerJS's own channel, where this end made the connection. */
  readonly dataChannel?: { onclose: unknown; onmessage: unknown; close(): void } | null;
  readonly peerConnection: {
    readonly connectionState: RTCPeerConnectionState;
    readonly localDescription: { readonly sdp: string } | null;
    readonly remoteDescription: { readonly sdp: string } | null;
    /** PeerJS's listeners. */
    ondatachannel: unknown;
    ontrack: unknown;
    createDataChannel(label: string, options: RTCDataChannelInit): LinkChannel;
    getStats?(): Promise<{ values(): Iterable<unknown> }>;
    addEventListener(type: 'connectionstatechange' | 'track', listener: () => void): void;
    addEventListener(type: 'datachannel', listener: (event: { readonly channel: { close(): void } }) => void): void;
  };
  close(): void;
}

/** A connection to another tab, with a channel that is open, and one for what is urgent, which may be about to. */
export interface OpenConnection {
  readonly channel: LinkChannel;
  readonly urgent: LinkChannel;
  /** What has come so far; to be asked once, by who listens from now on. */
  early(): readonly unknown[];
  readonly ownFingerprint: string;
  readonly otherFingerprint: string;
  /** The other side does what no device does: the link is to end with this sentence. */
  readonly onBreach: Listeners<string>;
  /** How the other side is reached just now. */
  counts(): Promise<LinkCounts | null>;
  /** Closes the channel, and soon the connection, also where the other side does not answer. */
  close(): void;
}

/**
 * Of a connection that was closed while a message was handled, PeerJS (1.5.5) rejects a promise that nobody waits for, which ends a Node
 * process. Goes when `Negotiator.handleCandidate` no longer reads the provider of a closed connection.
 */
export function takeFaults(connection: AddressConnection): void {
  const { handleMessage } = connection;
  if (typeof handleMessage !== 'function') return;
  connection.handleMessage = async (message: unknown): Promise<void> => {
    try {
      await Reflect.apply(handleMessage, connection, [message]);
    } catch {
      // The connection is closed: what was said of it concerns nobody.
    }
  };
}

/**
 * Takes a connection out of PeerJS's hands, which would keep what comes over any channel that the other side opens, for as long as it comes.
 * What is not our channel is closed; beyond PeerJS's own, or with pictures or sound, `onBreach` is told.
 */
export function keepOneChannel(connection: AddressConnection, onBreach: (why: string) => void): void {
  const { peerConnection: pc, dataChannel: introduced } = connection;
  let expected = 1;
  if (introduced) {
    expected = 0;
    // PeerJS ends the whole connection with its channel.
    introduced.onclose = null;
    introduced.onmessage = null;
    introduced.close();
  }
  pc.ondatachannel = null;
  pc.ontrack = null;
  pc.addEventListener('datachannel', ({ channel }) => {
    channel.close();
    if (expected-- <= 0) onBreach(EXTRA_CHANNEL);
  });
  pc.addEventListener('track', () => onBreach(MEDIA));
}

/** Keeps what comes over a channel until somebody asks for it, and listens. */
export function earlyMessages(channel: LinkChannel): () => readonly unknown[] {
  const kept: unknown[] = [];
  let listening = true;
  channel.addEventListener('message', ({ data }) => {
    const isShort = data instanceof ArrayBuffer && data.byteLength <= PROOF_BYTES;
    if (listening && isShort && kept.length < MAX_EARLY_MESSAGES) kept.push(data);
  });
  return () => {
    listening = false;
    return kept.splice(0);
  };
}

export function closing(channel: LinkChannel, connection: AddressConnection): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let closed = false;
  channel.addEventListener('close', () => {
    closed = true;
    if (timer !== null) clearTimeout(timer);
  });
  return () => {
    channel.close();
    if (!closed) timer ??= setTimeout(() => connection.close(), CLOSING_MS);
  };
}
