import 'reflect-metadata';
import { createPrivateKey, KeyObject, randomBytes, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Certificate with the key that it certifies. */
interface Issuer {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** Chain under which an enclave's documents are signed, in the order of a document's fields. */
export interface EnclaveChain {
  /** Certificates in DER, the root first. */
  readonly cabundle: readonly Uint8Array[];
  /** Leaf certificate in DER. */
  readonly certificate: Uint8Array;
  /** Private key of the leaf, P-384. */
  readonly privateKey: KeyObject;
  /** End of the leaf's validity, milliseconds since 1970. */
  readonly notAfter: number;
}

/**
 * Root that a stand-in NSM signs under, in place of AWS's `aws.nitro-enclaves`. Whoever is to believe the stand-in must
 * be handed this certificate: no image that is built for AWS holds it.
 */
export class NitroRoot {
  readonly #root: Issuer;

  private constructor(root: Issuer) {
    this.#root = root;
  }

  /** Creates a root, valid for 30 years from `now` (milliseconds since 1970). */
  static async create(now: number): Promise<NitroRoot> {
    const keys = await generateKeys();
    const name = 'C=US, O=Amazon, OU=AWS, CN=holdfast-local.nitro-enclaves';
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: makeSerialNumber(),
      subject: name,
      issuer: name,
      notBefore: new Date(now - HOUR),
      notAfter: new Date(now + 30 * 365 * DAY),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        new x509.KeyUsagesExtension(CA_USAGES, true),
      ],
    });
    return new NitroRoot({ certificate, keys });
  }

  /** Reads a root that {@link toPem} wrote. */
  static async fromPem(pem: { certificate: string; privateKey: string }): Promise<NitroRoot> {
    const certificate = new x509.X509Certificate(pem.certificate);
    const pkcs8 = createPrivateKey(pem.privateKey).export({ type: 'pkcs8', format: 'der' });
    const privateKey = await crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), ALGORITHM, true, [
      'sign',
    ]);
    return new NitroRoot({
      certificate,
      keys: { privateKey, publicKey: await certificate.publicKey.export() },
    });
  }

  toPem(): { certificate: string; privateKey: string } {
    return {
      certificate: this.#root.certificate.toString('pem'),
      privateKey: KeyObject.from(this.#root.keys.privateKey).export({ type: 'pkcs8', format: 'pem' }),
    };
  }

  /** Root certificate in DER: the trust anchor. */
  get certificate(): Uint8Array {
    return new Uint8Array(this.#root.certificate.rawData);
  }

  /**
   * Issues region, zone, instance and enclave certificates with the extensions and lifetimes that AWS's have: about
   * three weeks, six days, a day and three hours.
   */
  async issueChain(instanceId: string, moduleId: string, now: number): Promise<EnclaveChain> {
    const region = 'us-east-1';
    const steps = [
      { cn: `${hex(8)}.${region}.aws.nitro-enclaves`, days: 20, pathLength: 2, usages: CA_USAGES },
      { cn: `${hex(8)}.zonal.${region}.aws.nitro-enclaves`, days: 6, pathLength: 1, usages: CA_USAGES },
      {
        cn: `${instanceId}.${region}.aws.nitro-enclaves`,
        days: 1,
        pathLength: 0,
        usages: x509.KeyUsageFlags.keyCertSign,
      },
    ];
    const authorities: Issuer[] = [this.#root];
    for (const { cn, days, pathLength, usages } of steps) {
      const keys = await generateKeys();
      authorities.push(
        await issue(last(authorities), keys, cn, now, days * DAY, [
          new x509.BasicConstraintsExtension(true, pathLength, true),
          new x509.KeyUsagesExtension(usages, true),
        ]),
      );
    }
    const keys = await generateKeys();
    const leaf = await issue(last(authorities), keys, `${moduleId}.${region}.aws`, now, 3 * HOUR, [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.nonRepudiation),
    ]);
    return {
      cabundle: authorities.map(({ certificate }) => new Uint8Array(certificate.rawData)),
      certificate: new Uint8Array(leaf.certificate.rawData),
      privateKey: KeyObject.from(keys.privateKey),
      notAfter: leaf.certificate.notAfter.getTime(),
    };
  }
}

const CA_USAGES =
  x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;

async function issue(
  issuer: Issuer,
  keys: webcrypto.CryptoKeyPair,
  commonName: string,
  now: number,
  lifetime: number,
  extensions: x509.Extension[],
): Promise<Issuer> {
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: makeSerialNumber(),
    subject: `C=US, ST=Washington, L=Seattle, O=Amazon, OU=AWS, CN=${commonName}`,
    issuer: issuer.certificate.subject,
    // A verifier's clock may be a little behind.
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + lifetime),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    extensions: [
      ...extensions,
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** Makes a serial number, positive and without a leading zero byte: DER takes it as it is. */
function makeSerialNumber(): string {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial.toString('hex');
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

function last<T>(items: readonly T[]): T {
  const item = items.at(-1);
  if (item === undefined) throw new RangeError('empty list');
  return item;
}
