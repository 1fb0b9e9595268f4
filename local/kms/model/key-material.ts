import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { specDetails, type KeySpec } from '../../../shared/kms/index.ts';

/** Generation of a key's material; rotation adds more. */
export interface KeyMaterial {
  /** KeyMaterialId of AWS: 64 hexadecimal digits. */
  readonly id: string;
  /** Key bytes: AES-256 or an HMAC key as it is, a private key as PKCS #8 in DER. */
  readonly bytes: Uint8Array;
  /** Time of creation, milliseconds since 1970. */
  readonly createdAt: number;
}

const generate = promisify(generateKeyPair);

export async function generateMaterial(spec: KeySpec, now: number): Promise<KeyMaterial> {
  const id = randomBytes(32).toString('hex');
  return { id, bytes: await generateBytes(spec), createdAt: now };
}

async function generateBytes(spec: KeySpec): Promise<Uint8Array> {
  const details = specDetails(spec);
  if (details.type === 'symmetric') return randomBytes(32);
  if (details.type === 'hmac') return randomBytes(details.bytes);
  const { privateKey } = await generatePair(spec);
  return privateKey.export({ format: 'der', type: 'pkcs8' });
}

/** Generates a key pair of a kind. @throws TypeError for kinds that are no pairs */
export async function generatePair(
  spec: KeySpec,
): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
  const details = specDetails(spec);
  switch (details.type) {
    case 'rsa':
      return generate('rsa', { modulusLength: details.bits });
    case 'ec':
      return generate('ec', { namedCurve: details.curve });
    case 'ed25519':
      return generate('ed25519');
    case 'ml-dsa':
      return generate(details.name as 'ml-dsa-44');
    case 'ml-kem':
      return generate(details.name as 'ml-kem-512');
    case 'symmetric':
    case 'hmac':
    default:
      throw new TypeError(`expected a kind of key pair, found ${spec}`);
  }
}

export function privateKeyOf({ bytes }: KeyMaterial): KeyObject {
  return createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' });
}

/** Encodes a public key as SubjectPublicKeyInfo in DER. */
export function publicKeyOf(material: KeyMaterial): Buffer {
  return createPublicKey(privateKeyOf(material)).export({ format: 'der', type: 'spki' });
}
