import * as say from '../../words/session/transport.ts';
/** How far two tabs came that found no way to each other. */
export interface Tried {
  /** The server names a relay (TURN). */
  readonly hasRelay: boolean;
  /** Which end got an address at the relay. */
  readonly ownRelay: boolean;
  readonly otherRelay: boolean;
  /** The other end answered the introduction with any address of its own. */
  readonly answered: boolean;
}

/** Two tabs that reach each other neither directly nor through a relay. */
export class Unreachable extends Error {
  readonly #tried: Tried;

  constructor(tried: Tried, other = say.theOtherDevice) {
    super(unreachableSentence(tried, other));
    this.#tried = tried;
  }

  /** The same, of somebody who is called so. */
  named(other: string): Unreachable {
    return new Unreachable(this.#tried, other);
  }
}

/** Who cannot reach whom, by which ways, and the one next step. */
export function unreachableSentence({ hasRelay, ownRelay, otherRelay, answered }: Tried, other: string): string {
  if (!answered) return say.noAnswerCame(other);
  const direct = say.thisDeviceAndDoNot(other);
  if (!hasRelay) return say.andThisServerHasNo(direct);
  if (!ownRelay) return say.andThisDeviceDoesNot(direct);
  if (!otherRelay) return say.andDoesNotReach(direct, other);
  return say.norThroughTheRelayTry(direct);
}

/** From what `RTCPeerConnection.getStats` says of both ends' addresses. */
export function triedOf(
  reports: Iterable<unknown>,
  iceServers: readonly { readonly urls: string | readonly string[] }[],
): Tried {
  const candidates = [...reports].filter(
    (one): one is Record<string, unknown> => typeof one === 'object' && one !== null && 'candidateType' in one,
  );
  const relay = (end: 'local-candidate' | 'remote-candidate'): boolean =>
    candidates.some(({ type, candidateType }) => type === end && candidateType === 'relay');
  return {
    hasRelay: iceServers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/i.test(url))),
    ownRelay: relay('local-candidate'),
    otherRelay: relay('remote-candidate'),
    answered: candidates.some(({ type }) => type === 'remote-candidate'),
  };
}
