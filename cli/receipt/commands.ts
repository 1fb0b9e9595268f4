import { createHash } from 'node:crypto';
import * as z from 'zod';
import { MANIFEST_PCR, type PcrValues, verifyAttestationDocument } from '../../attestation/index.ts';
import { parseVerifierKey, WITNESS_KEY_TYPES } from '../../audit/log/index.ts';
import { verifyByNode } from '../../audit/log/node-signatures.ts';
import {
  MAX_RECEIPT_BYTES,
  parseEntry,
  ReceiptError,
  type ReceiptExpectations,
  readReceiptNode,
  unsafeParseReceipt,
  type UnverifiedReceipt,
  verifyReceipt,
} from '../../audit/receipt/index.ts';
import { algorithmSchema } from '../../shared/algorithms.ts';
import { payloadSchema } from '../../shared/api/payloads.ts';
import { childPathSchema } from '../../shared/api/child-path.ts';
import { operationSchema } from '../../shared/operations.ts';
import { digestRequest } from '../../shared/api/request-digest.ts';
import { openConfiguration, type SignedConfiguration } from '../../shared/documents/configuration.ts';
import { type CanonicalJson, parseJson } from '../../shared/json/index.ts';
import { type Command, type CommandInput, readInput, UsageError } from '../common/command.ts';
import { readDocumentFile } from '../common/document-file.ts';
import { CliError } from '../common/errors.ts';
import { inFile } from '../common/in-file.ts';
import { type ManifestFile, nameNode, readManifestFile } from '../common/manifest-file.ts';
import { readPcrFile, readRootFile } from '../common/trust-files.ts';
import { describeEntry, describeVerified } from './report.ts';

/** Of a request in a file: the longest payload is a PSBT of 128 KiB in base64. */
const MAX_REQUEST_FILE_BYTES = 512 * 1024;

/** JSON that has a canonical form. */
const canonicalSchema: z.ZodType<CanonicalJson> = z.lazy(() =>
  z.union([
    z.string(),
    z.int(),
    z.boolean(),
    z.null(),
    z.array(canonicalSchema),
    z.record(z.string(), canonicalSchema),
  ]),
);

const requestSchema = z.strictObject({
  operation: operationSchema,
  client: z.string(),
  key: z.string(),
  algorithm: algorithmSchema.nullable(),
  /** Of a ceremony: what it is ordered to do. */
  order: z
    .strictObject({
      participants: z.array(z.int()),
      threshold: z.int(),
      node: z.int(),
      publicKey: z.string(),
    })
    .partial()
    .optional(),
  payload: payloadSchema.optional(),
  path: childPathSchema.optional(),
  /** On a key of a pool: what it is asked for. */
  action: z.record(z.string(), canonicalSchema).optional(),
});

const verifyCommand: Command = {
  name: 'receipt verify',
  summary:
    'Verify a receipt, offline and years later: what was decided, by which image, under which rule, and who consented.',
  positionals: 'RECEIPT',
  options: {
    pcrs: {
      type: 'string',
      value: 'FILE',
      required: true,
      setting: 'pcrs',
      description: 'the pcr.json of the image that is expected',
    },
    manifest: {
      type: 'string',
      value: 'FILE',
      required: true,
      setting: 'manifest',
      description: "the node's manifest",
    },
    document: {
      type: 'string',
      value: 'FILE',
      description: "an attestation document of the node's boot (default: the receipt's own)",
    },
    root: {
      type: 'string',
      value: 'FILE',
      setting: 'root',
      description: "the trusted root, PEM or DER (default: AWS's own, G1)",
    },
    configuration: {
      type: 'string',
      value: 'FILE',
      description: 'the signed configuration that decided: verifies rule, approvals and witnesses',
    },
    request: { type: 'string', value: 'FILE', description: 'the request that it has to be about, as JSON' },
    signature: { type: 'string', value: 'HEX', description: 'a signature that the request was given' },
    witness: {
      type: 'string',
      value: 'VKEY',
      multiple: true,
      description: "a witness that must have cosigned (default: the configuration's)",
    },
    threshold: {
      type: 'string',
      value: 'NUMBER',
      description: 'how many of the witnesses must have cosigned (default: all of them)',
    },
    'in-log': { type: 'boolean', description: 'refuse a receipt without a proof of its place in the log' },
    'other-boot': {
      type: 'boolean',
      description: 'take a document of another boot, which does not show the image that decided',
    },
  },
  examples: [
    'holdfast receipt verify receipt.json --pcrs pcr.json --manifest manifest.json',
    'holdfast receipt verify receipt.json --pcrs pcr.json --manifest manifest.json --document doc.b64 \\',
    '      --configuration signed.json --request request.json --in-log --json',
  ],
  async run(input) {
    const { positionals, text, flag, io } = input;
    const [path = ''] = positionals;
    const root = await readRootFile(text('root'), io);
    const manifest = await readManifestFile(text('manifest') ?? '', io);
    const pcrs = expectManifest(await readPcrFile(text('pcrs') ?? '', io), manifest);
    const receipt = await readReceiptFile(path, input);
    const documentPath = text('document');
    const bytes = documentPath === undefined ? receipt.document : await readDocumentFile(documentPath, io);
    if (bytes === undefined) {
      throw new ReceiptError(
        'RECEIPT_UNBOUND',
        'the receipt carries no attestation document, and none was given',
      );
    }
    const document = inFile(documentPath ?? path, () =>
      verifyAttestationDocument(bytes, { root, at: 'document', pcrs }),
    );
    const node = inFile(documentPath ?? path, () => readReceiptNode(document, manifest.digest));
    const signed = await readConfiguration(input, manifest);
    const witnesses = readWitnesses(input);
    const expectations: ReceiptExpectations = {
      isOtherBootTaken: flag('other-boot'),
      isInclusionRequired: flag('in-log'),
      ...(await readSubject(input)),
      ...(signed === undefined ? {} : { signed }),
      ...(witnesses === undefined ? {} : { witnesses }),
    };
    const verified = inFile(path, () => verifyReceipt(receipt, node, expectations, verifyByNode));
    const report = describeVerified(verified, node, document, nameNode(manifest.manifest));
    return { ok: true, ...report };
  },
};

const inspectCommand: Command = {
  name: 'receipt inspect',
  summary: 'Print what a receipt says. Nothing is verified: anybody could have written it.',
  positionals: 'RECEIPT',
  options: {},
  examples: ['holdfast receipt inspect receipt.json', 'holdfast receipt inspect receipt.json --json'],
  async run(input) {
    const [path = ''] = input.positionals;
    const receipt = await readReceiptFile(path, input);
    const entry = inFile(path, () => parseEntry(receipt.entry));
    return {
      ok: true,
      text: ['NOT VERIFIED: anybody could have written this', ...describeEntry(entry)].join('\n'),
      data: {
        verified: false,
        entry,
        signer: receipt.signer.publicKey,
        hasProof: receipt.proof !== null,
        hasDocument: receipt.document !== undefined,
      },
    };
  },
};

export const commands: readonly Command[] = [verifyCommand, inspectCommand];

async function readReceiptFile(path: string, { io }: CommandInput): Promise<UnverifiedReceipt> {
  const file = await readInput(path, io, MAX_RECEIPT_BYTES);
  return inFile(path, () => unsafeParseReceipt(file));
}

/** The image's PCRs, and PCR16 of the manifest: without it any node of the image would do. */
function expectManifest(pcrs: PcrValues, { pcr16 }: ManifestFile): PcrValues {
  const named = pcrs.get(MANIFEST_PCR);
  if (named !== undefined && Buffer.from(named).toString('hex') !== pcr16) {
    throw new CliError(
      'MANIFEST_PCR_MISMATCH',
      'the manifest measures to another PCR16 than pcr.json names',
      {
        expected: Buffer.from(named).toString('hex'),
        actual: pcr16,
      },
    );
  }
  return new Map([...pcrs, [MANIFEST_PCR, Buffer.from(pcr16, 'hex')]]);
}

async function readConfiguration(
  { text, io }: CommandInput,
  { manifest, digest }: ManifestFile,
): Promise<SignedConfiguration | undefined> {
  const path = text('configuration');
  if (path === undefined) return undefined;
  const file = await readInput(path, io);
  return inFile(path, () => openConfiguration(file, { manifest, digest: Buffer.from(digest, 'hex') }));
}

/** Digests of the request and the signature that the receipt has to be about. */
async function readSubject({
  text,
  io,
}: CommandInput): Promise<Pick<ReceiptExpectations, 'requestDigest' | 'signatureDigest'>> {
  const [path, signature] = [text('request'), text('signature')];
  if (signature !== undefined && !/^(?:[0-9a-f]{2}){1,128}$/i.test(signature))
    throw new UsageError('--signature is hex digits, two a byte, without 0x');
  return {
    ...(path === undefined
      ? {}
      : { requestDigest: readRequest(path, await readInput(path, io, MAX_REQUEST_FILE_BYTES)) }),
    ...(signature === undefined
      ? {}
      : { signatureDigest: createHash('sha256').update(Buffer.from(signature, 'hex')).digest('hex') }),
  };
}

function readRequest(path: string, file: Uint8Array): string {
  return inFile(path, () => {
    const limits = { maxBytes: MAX_REQUEST_FILE_BYTES, maxDepth: 8 };
    const parsed = requestSchema.safeParse(parseJson(file, limits));
    if (!parsed.success) {
      throw new CliError(
        'PAYLOAD_FILE_MALFORMED',
        'not a request: operation, client, key, algorithm, order, payload, path, action',
        {
          field: parsed.error.issues[0]?.path.join('.'),
        },
      );
    }
    const { order, payload, action, ...request } = parsed.data;
    const parts = { ...(order && { order }), ...(payload && { payload }), ...(action && { action }) };
    const digest = digestRequest({ ...request, ...parts });
    return Buffer.from(digest).toString('hex');
  });
}

function readWitnesses({ text, texts }: CommandInput): ReceiptExpectations['witnesses'] {
  const keys = texts('witness').map((key) => parseVerifierKey(key, WITNESS_KEY_TYPES));
  const given = text('threshold');
  if (keys.length === 0) {
    if (given !== undefined) throw new UsageError('--threshold goes with --witness');
    return undefined;
  }
  const threshold = given === undefined ? keys.length : Number(/^[1-9]\d{0,2}$/.test(given) ? given : 0);
  if (threshold < 1 || threshold > keys.length)
    throw new UsageError('--threshold is a number from 1 to that of the witnesses');
  return { keys, threshold };
}
