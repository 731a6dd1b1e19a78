import type { Server } from 'node:https';
import type { KeyPair } from './authority.ts';

/** Where a server's certificate comes from. */
export interface Certificates {
  /** What it is made for; where that differs from the last time, a new certificate is asked for. */
  subject(): string;
  certificate(): Promise<KeyPair>;
  /** The certificate of the authority that signs them, as PEM, where a device may want to install it. */
  readonly authority: string | null;
}

/** A laptop that moves to another network has other addresses. */
const LOOK_EVERY_MS = 30_000;

/** Gives a server its certificate, and another one when this machine's addresses change. Rejects where there is none to begin with. */
export async function renewing(
  server: Server,
  certificates: Certificates,
  log: (line: string) => void,
): Promise<{ stop(): void }> {
  const use = async (): Promise<void> => {
    const { key, certificate: cert } = await certificates.certificate();
    server.setSecureContext({ key, cert });
  };
  let subject = certificates.subject();
  await use();
  const timer = setInterval(() => {
    const now = certificates.subject();
    if (now === subject) return;
    subject = now;
    use().catch((error: unknown) => log(`No certificate could be made for the new addresses: ${String(error)}`));
  }, LOOK_EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
