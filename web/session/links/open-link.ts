import type { TensorSizes } from '../../../signaling/protocol/exchange/data-messages.ts';
import { ChannelLink, type Opened } from './channel-link.ts';
import type { OpenConnection } from './peer-connection.ts';
import type { ProofTerms } from './proof.ts';

const NONCE_BYTES = 32;

/** What of the terms is not the connection's own. */
export type LinkParties = Pick<ProofTerms, 'own' | 'room' | 'host' | 'device' | 'keys' | 'expected'>;

/** A link over a connection that is open, once the two ends know each other. Rejects with a sentence, and the connection is closed then. */
export async function openLink(
  { channel, urgent, early, ownFingerprint, otherFingerprint, onBreach, close }: OpenConnection,
  sizes: TensorSizes,
  parties: LinkParties,
  randomBytes: (length: number) => Uint8Array,
): Promise<Opened & { readonly link: ChannelLink }> {
  const [nonce, digitsNonce] = [randomBytes(NONCE_BYTES), randomBytes(NONCE_BYTES)];
  const link = new ChannelLink(
    channel,
    sizes,
    { ...parties, ownFingerprint, otherFingerprint, nonce, digitsNonce },
    early(),
    urgent,
  );
  onBreach((why) => link.close(why));
  link.onClose(() => close());
  return { link, ...(await link.opened) };
}
