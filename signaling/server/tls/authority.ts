// tsyringe, which the certificates' library stands on, asks for it.
import 'reflect-metadata';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from '@peculiar/asn1-x509';
import * as x509 from '@peculiar/x509';

/** A private key and the certificate that goes with it, both as PEM. */
export interface KeyPair {
  readonly key: string;
  readonly certificate: string;
}

/** What this machine is called on its own network. */
export interface MachineNames {
  /** Such as `laptop` and `laptop.local`. */
  readonly names: readonly string[];
  /** IPv4 and IPv6 addresses without brackets. */
  readonly addresses: readonly string[];
}

const DAY_MS = 86_400_000;
/** Browsers take no certificate for longer, whoever signed it. */
const CERTIFICATE_DAYS = 397;
/** Apple's systems refuse certificates of longer standing from authorities that a person installed, and the authority counts. */
const AUTHORITY_DAYS = 825;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** What no router of the internet passes on (RFC 1918, RFC 3927, RFC 4193, RFC 4291), and the machine itself. */
const PRIVATE_NETWORKS = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
];

/**
 * An authority that can vouch for this machine's names and for private addresses, and for nothing else: whoever installs it and trusts it
 * lends it no power over any other site.
 */
export async function newAuthority({ names }: MachineNames, nowMs: number): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const may = [
    ...[...new Set(['localhost', ...names])].map((dNSName) => new GeneralName({ dNSName })),
    ...PRIVATE_NETWORKS.map((iPAddress) => new GeneralName({ iPAddress })),
  ];
  const permittedSubtrees = new GeneralSubtrees(may.map((base) => new GeneralSubtree({ base })));
  const constraints = new NameConstraints({ permittedSubtrees });
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: `CN=Tabloom on ${names[0] ?? 'this machine'}`,
      notBefore: new Date(nowMs - DAY_MS),
      notAfter: new Date(nowMs + (AUTHORITY_DAYS - 2) * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        new x509.Extension(id_ce_nameConstraints, true, AsnConvert.serialize(constraints)),
      ],
    },
    crypto,
  );
  return { key: await pemOf(keys.privateKey), certificate: certificate.toString('pem') };
}

/** A certificate for this machine by that authority. */
export async function certify(authority: KeyPair, { names, addresses }: MachineNames, nowMs: number): Promise<KeyPair> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const bytes = x509.PemConverter.decodeFirst(authority.key);
  const signingKey = await crypto.subtle.importKey('pkcs8', bytes, ALGORITHM, false, ['sign']);
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const end = Math.min(nowMs + (CERTIFICATE_DAYS - 1) * DAY_MS, issuer.notAfter.getTime());
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: `CN=${names[0] ?? 'localhost'}`,
      issuer: issuer.subject,
      notBefore: new Date(nowMs - DAY_MS),
      notAfter: new Date(end),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          ...[...new Set(['localhost', ...names])].map((value) => ({ type: 'dns' as const, value })),
          ...addresses.map((value) => ({ type: 'ip' as const, value })),
        ]),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  // The authority comes along, so that a device that has installed it finds the way.
  return {
    key: await pemOf(keys.privateKey),
    certificate: `${certificate.toString('pem')}\n${authority.certificate}\n`,
  };
}

/** Twenty bytes at most, positive, never the same twice (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function pemOf(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}
