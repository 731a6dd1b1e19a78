import { passOf } from '../../signaling/protocol/door/secret.ts';
import type { Look } from '../../signaling/protocol/door.ts';
import { type ClientMessage, parseServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION, versionProblem } from '../../signaling/protocol/version.ts';
import * as say from '../words/session/session.ts';
import { roomAddress } from './links/room-client.ts';
import type { InvitedTo } from './view/view.ts';
import type { SessionEnvironment } from './world/environment.ts';

/** An answer that has not come by then does not come. */
const LOOK_MS = 10_000;

/** Asks the server what a session is, without entering it. Rejects with a sentence. */
export function lookAt(
  environment: Pick<SessionEnvironment, 'origin' | 'openSocket'>,
  { room, secret }: InvitedTo,
): Promise<Look> {
  const socket = environment.openSocket(roomAddress(environment.origin, room));
  const looked = new Promise<Look>((resolve, reject) => {
    const fail = (sentence: string): void => reject(new Error(sentence));
    const timer = setTimeout(() => fail(say.theServerDoesNotAnswer), LOOK_MS);
    let greeted = false;
    socket.addEventListener('open', () => {
      const pass = secret === null ? {} : { pass: passOf(secret) };
      socket.send(JSON.stringify({ type: 'look', version: PROTOCOL_VERSION, room, ...pass } satisfies ClientMessage));
    });
    socket.addEventListener('message', (event) => {
      const parsed = parseServerMessage(typeof event.data === 'string' ? event.data : '');
      const message = parsed.ok ? parsed.value : null;
      // A server that says nothing of its release before all else is one of release 0.1.0.
      const problem = greeted
        ? null
        : versionProblem(message?.type === 'hello' ? message.version : null, say.theServer);
      greeted = true;
      if (problem !== null) fail(problem);
      else if (message?.type === 'outside') resolve(message.look);
      else if (message?.type === 'error') fail(message.sentence);
      else if (message?.type !== 'hello') return;
      if (problem !== null || message?.type !== 'hello') clearTimeout(timer);
    });
    const lost = (): void => {
      clearTimeout(timer);
      fail(say.theServerDoesNotAnswer);
    };
    socket.addEventListener('close', lost);
    socket.addEventListener('error', lost);
  });
  return looked.finally(() => socket.close());
}
