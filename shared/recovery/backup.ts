import * as z from 'zod';
import { decodeBase64 } from '../base64.ts';
import { JsonError, parseJson } from '../json/index.ts';
import { ENCAPSULATED_KEY_BYTES, sha384Hex } from './binding.ts';
import { BackupError } from './errors.ts';
import {
  type BackupEntry,
  type BackupStatement,
  COLD_STATEMENT_FORMAT,
  MAX_BACKUP_ENTRIES,
  MAX_STATEMENT_BYTES,
  parseStatement,
  STATEMENT_FORMAT,
} from './statement.ts';

export const BACKUP_FORMAT = 'holdfast-backup/1';
/** A backup of a cold node: signed by the key of its identity, and attested by nobody. */
const COLD_BACKUP_FORMAT = 'holdfast-cold-backup/1';
/** DSSE payload type of what a cold node signs of its statement, in place of an attestation document. */
export const COLD_BACKUP_PAYLOAD_TYPE = 'application/vnd.holdfast.cold-backup+json';
/** The longest file in bytes: statement, document, and the ciphertexts of as many RSA keys as fit. */
export const MAX_BACKUP_BYTES = 4 * 1024 * 1024;
/** The longest ciphertext in bytes: of an RSA key of 4096 bits as PKCS #8. */
const MAX_CIPHERTEXT_BYTES = 2560;
const MAX_DOCUMENT_BYTES = 16_640;
const AEAD_TAG_BYTES = 16;
/** A receipt is read by its own parser. */
const MAX_DEPTH = 12;

const base64 = (maximum: number) =>
  z
    .string()
    .max(4 * Math.ceil(maximum / 3))
    .transform((text, context) => {
      const bytes = decodeBase64(text);
      if (bytes !== undefined && bytes.length <= maximum) return bytes;
      context.addIssue({ code: 'custom', message: 'not canonical base64' });
      return z.NEVER;
    });

const common = {
  statement: base64(MAX_STATEMENT_BYTES),
  ciphertexts: z.array(base64(MAX_CIPHERTEXT_BYTES)).min(1).max(MAX_BACKUP_ENTRIES),
  receipt: z.unknown().optional(),
};
const backupSchema = z.discriminatedUnion('format', [
  z.strictObject({
    format: z.literal(BACKUP_FORMAT),
    document: base64(MAX_DOCUMENT_BYTES),
    ...common,
  }),
  z.strictObject({
    format: z.literal(COLD_BACKUP_FORMAT),
    signed: base64(MAX_DOCUMENT_BYTES),
    ...common,
  }),
]);

/** A backup whose ciphertexts are those of its statement; who has made it is not verified. */
export interface Backup {
  /** Who speaks for the statement: an attested enclave, or a cold node, which nothing attests. */
  readonly kind: 'attested' | 'cold';
  readonly statement: BackupStatement;
  /** The very bytes that digest and attestation document cover. */
  readonly statementBytes: Uint8Array;
  /** SHA-384 of the statement's bytes in hex: the backup's name in log, acknowledgements and drills. */
  readonly digest: string;
  /** The attestation document; of a cold node the DSSE envelope that it has signed. */
  readonly document: Uint8Array;
  readonly entries: readonly { readonly entry: BackupEntry; readonly ciphertext: Uint8Array }[];
  /** The node's receipt of the entry of its log, as it came. */
  readonly receipt: unknown;
}

type EncodedParts = Pick<Backup, 'statementBytes' | 'document' | 'receipt'> & {
  readonly ciphertexts: readonly Uint8Array[];
};

/** Encodes a backup of an attested node as a file: JSON. */
export function encodeBackup(parts: EncodedParts): Uint8Array {
  return encode(BACKUP_FORMAT, 'document', parts);
}

/** Encodes a backup of a cold node as a file, whose `document` is the envelope that the node has signed. */
export function encodeColdBackup(parts: EncodedParts): Uint8Array {
  return encode(COLD_BACKUP_FORMAT, 'signed', parts);
}

function encode(
  format: string,
  proof: 'document' | 'signed',
  { statementBytes, document, ciphertexts, receipt }: EncodedParts,
): Uint8Array {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return Buffer.from(
    `${JSON.stringify({
      format,
      statement: text(statementBytes),
      [proof]: text(document),
      ciphertexts: ciphertexts.map(text),
      ...(receipt === undefined ? {} : { receipt }),
    })}\n`,
  );
}

/**
 * Parses a backup, and compares its ciphertexts with the digests in its statement. Pure.
 *
 * @throws BackupError BACKUP_MALFORMED, BACKUP_ALTERED
 */
export function parseBackup(bytes: Uint8Array): Backup {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_BACKUP_BYTES, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new BackupError('BACKUP_MALFORMED', 'the backup is not strict JSON', {}, error);
  }
  const parsed = backupSchema.safeParse(value);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new BackupError('BACKUP_MALFORMED', `the backup has a wrong member: ${path}`, { path });
  }
  const { data } = parsed;
  const { statement: statementBytes, ciphertexts, receipt } = data;
  const [kind, document, expected] =
    data.format === BACKUP_FORMAT
      ? (['attested', data.document, STATEMENT_FORMAT] as const)
      : (['cold', data.signed, COLD_STATEMENT_FORMAT] as const);
  const statement = parseStatement(statementBytes);
  if (statement.format !== expected)
    throw new BackupError(
      'BACKUP_MALFORMED',
      'the statement is not of the kind of node that the file names',
      {
        expected,
        actual: statement.format,
      },
    );
  if (statement.entries.length !== ciphertexts.length)
    throw new BackupError(
      'BACKUP_ALTERED',
      'the backup has another number of ciphertexts than its statement',
      {
        expected: statement.entries.length,
        actual: ciphertexts.length,
      },
    );
  const entries = statement.entries.map((entry, index) => {
    const ciphertext = ciphertexts[index] ?? new Uint8Array();
    if (
      ciphertext.length <= ENCAPSULATED_KEY_BYTES + AEAD_TAG_BYTES ||
      sha384Hex(ciphertext) !== entry.ciphertext
    )
      throw new BackupError('BACKUP_ALTERED', 'a ciphertext is not the one that the statement names', {
        key: entry.id,
        expected: entry.ciphertext,
      });
    return { entry, ciphertext };
  });
  return { kind, statement, statementBytes, digest: sha384Hex(statementBytes), document, entries, receipt };
}
