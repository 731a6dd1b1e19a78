import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { certify } from './authority.ts';
import { defaultConfigFolder, keptAuthority } from './kept-authority.ts';
import { machineNames } from './machine.ts';
import type { Certificates } from './renewing.ts';

/** Certificates for whatever this machine is called, by the authority of its person. Null where that cannot be kept. */
export async function machineCertificates(folder = defaultConfigFolder()): Promise<Certificates | null> {
  const authority = await keptAuthority(folder, machineNames(), Date.now());
  if (authority === null) return null;
  return {
    subject: () => JSON.stringify(machineNames()),
    certificate: () => certify(authority, machineNames(), Date.now()),
    authority: authority.certificate,
  };
}

/** A person's own certificate. Rejects with a sentence where the files cannot be read, or are not each other's. */
export async function filedCertificates(certificateFile: string, keyFile: string): Promise<Certificates> {
  const [certificate, key] = await Promise.all([read(certificateFile), read(keyFile)]);
  const pair = { key, certificate };
  let matches: boolean;
  try {
    matches = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    throw new Error(`"${certificateFile}" and "${keyFile}" must be a certificate and its private key, both as PEM.`);
  }
  if (!matches)
    throw new Error(`The private key in "${keyFile}" does not belong to the certificate in "${certificateFile}".`);
  return { subject: () => '', certificate: () => Promise.resolve(pair), authority: null };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`"${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** As people compare it: SHA-256 over the certificate, in pairs of hexadecimal digits. */
export const fingerprintOf = (certificate: string): string => new X509Certificate(certificate).fingerprint256;
