import { createPublicKey, verify } from 'node:crypto';
import { expect } from 'vitest';
import type { Canton, CantonKey } from './clients.ts';

/** Keys of a participant, as its validator has made them. */
export interface ParticipantKeys {
  readonly namespace: CantonKey;
  readonly signing: CantonKey;
  readonly encryption: CantonKey;
}

/**
 * Makes the three keys of a Splice validator, by the names that Splice gives them: for each CreateKey, DescribeKey and
 * GetPublicKey. Each is used once.
 */
export async function bootstrapParticipant(canton: Canton): Promise<ParticipantKeys> {
  const namespace = await canton.key('key', 'namespace', 'signing', 'ECC_NIST_P256', 'false');
  const signing = await canton.key('key', 'signing', 'signing', 'ECC_NIST_P256', 'false');
  const encryption = await canton.key('key', 'encryption', 'encryption', 'RSA_2048', 'false');
  await useParticipant(canton, { namespace, signing, encryption });
  return { namespace, signing, encryption };
}

/** Signs with the signing keys, and has what was encrypted for the encryption key decrypted. */
export async function useParticipant(canton: Canton, keys: ParticipantKeys): Promise<void> {
  for (const key of [keys.namespace, keys.signing]) await expectSignature(canton, key);
  await expectDecryption(canton, keys.encryption);
}

/** Has a key sign, and verifies by Java's own code and by OpenSSL, which take an s of either half. */
export async function expectSignature(canton: Canton, key: CantonKey): Promise<void> {
  const result = await canton.do('sign', key.id, key.spki, key.spec, `${key.spec}-${key.id}`);
  expect(result).toMatchObject({ verified: key.spec === 'ECC_SECG_P256K1' ? null : true });
  const message = Buffer.from(result['message'] as string, 'hex');
  expect(message).toHaveLength(34);
  const publicKey = createPublicKey({ key: Buffer.from(key.spki, 'hex'), format: 'der', type: 'spki' });
  const hash = key.spec === 'ECC_NIST_P384' ? 'sha384' : 'sha256';
  expect(verify(hash, message, publicKey, Buffer.from(result['signature'] as string, 'hex'))).toBe(true);
}

export async function expectDecryption(canton: Canton, key: CantonKey): Promise<void> {
  expect(await canton.do('open', key.id, key.spki, 'a-session-key')).toMatchObject({ text: 'a-session-key' });
}

/**
 * Plays what a participant asks of KMS from its first start: keys of every kind, signatures, decryptions, a key of the
 * operator's that is registered, keys restored from a dump by their ids, a rotation of each key, the deletion of the old
 * ones, and the encrypted store with a wrapper key and its rotation. Returns the keys that are in use then.
 */
export async function playCanton(
  canton: Canton,
  { multiRegion }: { readonly multiRegion: boolean },
): Promise<ParticipantKeys> {
  const keys = await bootstrapParticipant(canton);
  for (const spec of ['ECC_NIST_P384', 'ECC_SECG_P256K1']) {
    await expectSignature(canton, await canton.key('key', '-', 'signing', spec, 'false'));
  }
  if (multiRegion) {
    const key = await canton.key('key', 'several-regions', 'signing', 'ECC_NIST_P256', 'true');
    expect(key.id).toMatch(/^mrk-/);
    await expectSignature(canton, key);
  }
  // Restored from a dump: recorded ids, GetPublicKey alone.
  const signing = await canton.key('register', keys.signing.id, 'SIGN_VERIFY');
  expect(signing.spki).toBe(keys.signing.spki);
  const wrong = await canton.do('register', keys.signing.id, 'ENCRYPT_DECRYPT');
  expect(wrong.error).toBe('KmsInvalidKeyUsage');
  // A rotation: new keys are made and used, and the old ones deleted.
  const next = await bootstrapParticipant(canton);
  for (const { id, spki, spec } of [keys.namespace, keys.signing]) {
    expect((await canton.do('delete', id)).error).toBeUndefined();
    expect((await canton.do('sign', id, spki, spec, 'text')).error).toBe('KMSInvalidStateException');
  }
  await useParticipant(canton, next);
  await playWrapper(canton);
  return next;
}

/** Plays the encrypted store: a wrapper key is made, used, and rotated by encrypting anew what it has encrypted. */
async function playWrapper(canton: Canton): Promise<void> {
  const { id: old } = (await canton.do('wrapper')) as unknown as CantonKey;
  expect(await canton.do('wrapper', old)).toMatchObject({ id: old });
  const stored = ['first-key', 'second-key'];
  const sealed = await Promise.all(
    stored.map(async (text) => (await canton.do('seal', old, text))['blob'] as string),
  );
  const { id: next } = (await canton.do('wrapper')) as unknown as CantonKey;
  expect(next).not.toBe(old);
  for (const [index, blob] of sealed.entries()) {
    const opened = await canton.do('unseal', old, blob);
    expect(opened['text']).toBe(stored[index]);
    const again = (await canton.do('seal', next, opened['text'] as string))['blob'] as string;
    expect(await canton.do('unseal', next, again)).toMatchObject({ text: stored[index] });
    expect((await canton.do('unseal', next, blob)).error).toMatch(
      /^(?:IncorrectKey|InvalidCiphertext)Exception$/,
    );
  }
}
