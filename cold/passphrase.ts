import { argon2, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import * as z from 'zod';
import { encodeCbor } from '../shared/cbor/index.ts';
import { decodeBase64 } from '../shared/base64.ts';
import { ColdError } from '../shared/cold/index.ts';
import { parseJson } from '../shared/json/index.ts';

const deriveArgon2 = promisify(argon2);

/** Shortest passphrase in bytes: six words of a list of 7,776 have 77 bits, and are longer. */
const MIN_PASSPHRASE_BYTES = 20;
const MAX_BLOB_BYTES = 4096;
const PASSWORD_BYTES = 32;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Cost of Argon2id (RFC 9106): passes over so many KiB by so many lanes. */
export interface PassphraseCost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

/** The second recommended option of RFC 9106, section 4, with eight times its memory: seconds on a laptop. */
const PASSPHRASE_COST: PassphraseCost = Object.freeze({ memoryKiB: 512 * 1024, passes: 3, lanes: 4 });

const blobSchema = z.strictObject({
  format: z.literal('holdfast-cold-password/1'),
  kdf: z.strictObject({
    name: z.literal('argon2id'),
    // Bounds of what a reader computes: 4 GiB and 16 passes.
    memoryKiB: z
      .int()
      .min(8)
      .max(4 * 1024 * 1024),
    passes: z.int().min(1).max(16),
    lanes: z.int().min(1).max(16),
    salt: z.base64().max(64),
  }),
  nonce: z.base64().max(32),
  /** AES-256-GCM of the password, its tag at the end. */
  ciphertext: z.base64().max(256),
});

/**
 * Makes and decrypts a node's Encryptor Master Password by a passphrase, as KMS does for an enclave: the ciphertext is
 * the blob that the store keeps. The password is 32 random bytes, sealed by AES-256-GCM under Argon2id of the passphrase,
 * with the place of the node as associated data.
 *
 * @param place what the ciphertext is bound to: namespace, environment, number
 */
export function createPassphraseSource(
  passphrase: Uint8Array,
  place: readonly [namespace: string, environment: string, node: number],
  cost: PassphraseCost = PASSPHRASE_COST,
) {
  const associated = encodeCbor(['holdfast cold password', 1, ...place]);
  return {
    /** @throws ColdError COLD_PASSPHRASE_WEAK */
    async generate() {
      assertStrong(passphrase);
      const plaintext = new Uint8Array(randomBytes(PASSWORD_BYTES));
      return { plaintext, blob: await sealPassword(plaintext) };
    },
    /** @throws ColdError COLD_PASSPHRASE_WRONG, for an altered blob too */
    async decrypt(blob: Uint8Array): Promise<Uint8Array> {
      const { kdf, nonce, ciphertext } = parseBlob(blob);
      const key = await deriveKey(passphrase, Buffer.from(kdf.salt, 'base64'), kdf);
      const sealed = Buffer.from(ciphertext, 'base64');
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64'), {
          authTagLength: TAG_BYTES,
        })
          .setAAD(associated)
          .setAuthTag(sealed.subarray(-TAG_BYTES));
        const plaintext = decipher.update(sealed.subarray(0, -TAG_BYTES));
        decipher.final();
        return new Uint8Array(plaintext);
      } catch (error) {
        throw new ColdError('COLD_PASSPHRASE_WRONG', 'the passphrase is not that of this node', {}, error);
      } finally {
        key.fill(0);
      }
    },
  };

  async function sealPassword(plaintext: Uint8Array): Promise<Uint8Array> {
    const salt = randomBytes(SALT_BYTES);
    const nonce = randomBytes(NONCE_BYTES);
    const key = await deriveKey(passphrase, salt, cost);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated);
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    key.fill(0);
    const blob: z.infer<typeof blobSchema> = {
      format: 'holdfast-cold-password/1',
      kdf: { name: 'argon2id', ...cost, salt: salt.toString('base64') },
      nonce: nonce.toString('base64'),
      ciphertext: ciphertext.toString('base64'),
    };
    return new Uint8Array(Buffer.from(JSON.stringify(blob)));
  }
}

function parseBlob(blob: Uint8Array): z.infer<typeof blobSchema> {
  try {
    const parsed = blobSchema.parse(parseJson(blob, { maxBytes: MAX_BLOB_BYTES, maxDepth: 3 }));
    const isWhole =
      decodeBase64(parsed.kdf.salt)?.length === SALT_BYTES &&
      decodeBase64(parsed.nonce)?.length === NONCE_BYTES &&
      decodeBase64(parsed.ciphertext)?.length === PASSWORD_BYTES + TAG_BYTES;
    if (!isWhole) throw new RangeError('expected a salt, a nonce and a ciphertext of their lengths');
    return parsed;
  } catch (error) {
    throw new ColdError('COLD_PASSPHRASE_WRONG', "the store's sealed password is altered", {}, error);
  }
}

function assertStrong({ length }: Uint8Array): void {
  if (length >= MIN_PASSPHRASE_BYTES) return;
  throw new ColdError('COLD_PASSPHRASE_WEAK', 'the passphrase is shorter than its minimum', {
    minimum: MIN_PASSPHRASE_BYTES,
    actual: length,
  });
}

async function deriveKey(passphrase: Uint8Array, salt: Uint8Array, cost: PassphraseCost): Promise<Buffer> {
  return await deriveArgon2('argon2id', {
    message: passphrase,
    nonce: salt,
    parallelism: cost.lanes,
    tagLength: 32,
    memory: cost.memoryKiB,
    passes: cost.passes,
  });
}
