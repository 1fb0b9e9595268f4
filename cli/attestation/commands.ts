import {
  AttestationError,
  unsafeParseAttestationDocument,
  verifyAttestationDocument,
  type DocumentKind,
  type VerifyOptions,
} from '../../attestation/index.ts';
import { readDocumentFile } from '../common/document-file.ts';
import { inspectedAsData, inspectedAsText, verifiedAsData, verifiedAsText } from './report.ts';
import { decodePublicKeyFile, explainKeyMismatch } from './public-key-file.ts';
import { inFile } from '../common/in-file.ts';
import { readPcrFile, readRootFile } from '../common/trust-files.ts';
import {
  readInput,
  UsageError,
  type Command,
  type CommandInput,
  type OptionSpec,
} from '../common/command.ts';

const MAX_KEY_FILE_BYTES = 64 * 1024;

const VERIFY_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  pcrs: {
    type: 'string',
    value: 'FILE',
    required: true,
    setting: 'pcrs',
    description: 'the pcr.json that is expected',
  },
  root: {
    type: 'string',
    value: 'FILE',
    setting: 'root',
    description: "the trusted root, PEM or DER (default: AWS's own, G1)",
  },
  at: {
    type: 'string',
    value: 'TIME',
    description: 'the time of the verdict: ISO 8601, "now" or "document", its own (default: now)',
  },
  'max-age': { type: 'string', value: 'SECONDS', description: 'the oldest document to take' },
  'clock-skew': {
    type: 'string',
    value: 'SECONDS',
    description: 'how far in the future it may be (default: 60)',
  },
  nonce: { type: 'string', value: 'HEX', description: 'the nonce that it must carry' },
  'user-data': { type: 'string', value: 'HEX', description: 'the user data that it must carry' },
  'public-key': {
    type: 'string',
    value: 'FILE',
    description: 'the public key that it must carry: PEM, or its bytes',
  },
  'allow-debug': {
    type: 'boolean',
    description: 'take an enclave in debug mode, whose PCR0, PCR1 and PCR2 are zero',
  },
  nitrotpm: {
    type: 'boolean',
    description: "expect the document of an instance's NitroTPM, not of an enclave",
  },
};

const verifyCommand: Command = {
  name: 'attestation verify',
  summary:
    'Verify an attestation document against a pcr.json: accepted in everything, or refused with one code.',
  positionals: 'DOC',
  options: VERIFY_OPTIONS,
  examples: [
    'holdfast attestation verify doc.cbor --pcrs pcr.json --max-age 300 --nonce 8f3a…',
    'holdfast attestation verify old.b64 --pcrs pcr.json --at document',
    'curl … https://NODE/v1/attestation | holdfast attestation verify - --pcrs pcr.json --json',
  ],
  async run(input) {
    const { positionals, text, flag, io } = input;
    const allowDebug = flag('allow-debug');
    const kind: DocumentKind = flag('nitrotpm') ? 'nitrotpm' : 'enclave';
    const bindings = readBindings(input);
    const time = readTime(input);
    const keyPath = text('public-key');
    const keyFile = keyPath === undefined ? undefined : await readInput(keyPath, io, MAX_KEY_FILE_BYTES);
    const publicKey = keyFile === undefined ? {} : { publicKey: decodePublicKeyFile(keyFile, keyPath ?? '') };
    const root = await readRootFile(text('root'), io);
    const pcrs = await readPcrFile(text('pcrs') ?? '', io, { allowDebug, kind });
    const [path = ''] = positionals;
    const document = await readDocumentFile(path, io);
    const options = { ...bindings, ...time, ...publicKey, root, pcrs, allowDebug, kind };
    const verified = inFile(path, () =>
      explainingKeys(keyFile, document, () => verifyAttestationDocument(document, options)),
    );
    const freshness = { nonce: 'nonce' in bindings, maxAgeMs: time.maxAgeMs ?? null };
    const bound = [
      ...('nonce' in bindings ? ['nonce'] : []),
      ...('userData' in bindings ? ['user data'] : []),
      ...('publicKey' in publicKey ? ['public key'] : []),
    ];
    return {
      ok: true,
      text: verifiedAsText(verified, pcrs, bound, freshness),
      data: verifiedAsData(verified, pcrs, freshness),
    };
  },
};

const inspectCommand: Command = {
  name: 'attestation inspect',
  summary: 'Print what an attestation document says. Nothing is verified: anybody could have written it.',
  positionals: 'DOC',
  options: {},
  examples: ['holdfast attestation inspect doc.cbor', 'holdfast attestation inspect doc.b64 --json'],
  async run({ positionals, io }) {
    const [path = ''] = positionals;
    const file = await readDocumentFile(path, io);
    const document = inFile(path, () => unsafeParseAttestationDocument(file));
    return { ok: true, text: inspectedAsText(document), data: inspectedAsData(document) };
  },
};

export const attestationCommands: readonly Command[] = [verifyCommand, inspectCommand];

function readBindings(input: CommandInput): Pick<VerifyOptions, 'nonce' | 'userData'> {
  const [nonce, userData] = [readHex(input, 'nonce'), readHex(input, 'user-data')];
  return { ...(nonce === undefined ? {} : { nonce }), ...(userData === undefined ? {} : { userData }) };
}

function readHex({ text }: CommandInput, option: string): Uint8Array | undefined {
  const value = text(option);
  if (value === undefined) return undefined;
  if (!/^(?:[0-9a-f]{2})*$/i.test(value))
    throw new UsageError(`--${option} is hex digits, two a byte, without 0x`);
  return Buffer.from(value, 'hex');
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/;

function readTime(input: CommandInput): Pick<VerifyOptions, 'at' | 'maxAgeMs' | 'maxClockSkewMs'> {
  const at = input.text('at') ?? 'now';
  const maxAgeMs = readSeconds(input, 'max-age');
  const maxClockSkewMs = readSeconds(input, 'clock-skew');
  if (at === 'document' && maxAgeMs !== undefined) {
    throw new UsageError(
      'a document has no age at its own time: --max-age and --at document exclude each other',
    );
  }
  const time = at === 'now' ? Date.now() : Date.parse(ISO_TIME.test(at) ? at : '');
  if (at !== 'document' && !(time >= 0))
    throw new UsageError('--at is a time like 2026-01-31T12:00:00Z, now or document');
  return {
    at: at === 'document' ? at : time,
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(maxClockSkewMs === undefined ? {} : { maxClockSkewMs }),
  };
}

function readSeconds({ text }: CommandInput, option: string): number | undefined {
  const value = text(option);
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw new UsageError(`--${option} is a number of seconds`);
  return Number(value) * 1000;
}

/** Adds to the refusal of a public key what else the file may hold. */
function explainingKeys<Result>(
  keyFile: Uint8Array | undefined,
  document: Uint8Array,
  verify: () => Result,
): Result {
  try {
    return verify();
  } catch (error) {
    const isOfKey = error instanceof AttestationError && error.code === 'PUBLIC_KEY_MISMATCH';
    if (!isOfKey || keyFile === undefined) throw error;
    throw explainKeyMismatch(error, keyFile, unsafeParseAttestationDocument(document).payload.publicKey);
  }
}
