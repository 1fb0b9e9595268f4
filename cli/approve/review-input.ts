import {
  computeManifestPcr,
  MANIFEST_PCR,
  type PcrValues,
  verifyAttestationDocument,
} from '../../attestation/index.ts';
import {
  decodeReviewPart,
  parseReview,
  type VerifiedReview,
  verifyReview,
} from '../../policy/approvals/index.ts';
import { MAX_REVIEW_BYTES, type ReviewResponse } from '../../shared/api/requests.ts';
import { type CommandInput, type OptionSpec, readInput, UsageError } from '../common/command.ts';
import { openColdIdentity } from '../../shared/cold/index.ts';
import { parseColdManifest } from '../../shared/documents/cold-manifest.ts';
import { parseManifest } from '../../shared/documents/manifest.ts';
import { inFile } from '../common/in-file.ts';
import { readPcrFile, readRootFile } from '../common/trust-files.ts';
import { fetchReview, type RequestAddress } from './request-address.ts';

/** Options for where a request waits, and what its node must prove to be. */
export const REVIEW_OPTIONS = {
  url: {
    type: 'string',
    value: 'URL',
    setting: 'url',
    settingUnless: 'file',
    description: "the node, or its parent's door for approvers: https://host:port",
  },
  file: { type: 'string', value: 'FILE', description: 'the request as a file, in place of --url' },
  pcrs: {
    type: 'string',
    value: 'FILE',
    setting: 'pcrs',
    settingUnless: 'cold-identity',
    description: 'pcr.json of the image that the node must run',
  },
  manifest: {
    type: 'string',
    value: 'FILE',
    required: true,
    setting: 'manifest',
    description: 'the manifest that the node must have been given',
  },
  'cold-identity': {
    type: 'string',
    value: 'FILE',
    description: 'the identity of a cold node, in place of --pcrs',
  },
  root: {
    type: 'string',
    value: 'PEM',
    setting: 'root',
    description: "the root of its attestation documents (default: AWS's)",
  },
} as const satisfies Record<string, OptionSpec>;

/** What an approver trusts beforehand: an image and a root, or the receipt key of a cold node in hex. */
export type ReviewTrustFiles = { readonly manifest: Uint8Array } & (
  | {
      readonly image: { readonly pcrs: PcrValues; readonly root: Uint8Array };
      readonly coldReceiptKey?: undefined;
    }
  | { readonly image?: undefined; readonly coldReceiptKey: string }
);

/** A review that was verified, and where votes on it go; undefined for one from a file. */
export interface ReadReview {
  readonly review: VerifiedReview;
  readonly address: RequestAddress | undefined;
  readonly trust: ReviewTrustFiles;
}

/**
 * Reads and verifies a request.
 *
 * @throws UsageError; AttestationError; ReviewError; ApproveError; NodeRefusal; ManifestError; CliError
 */
export async function readReview(input: CommandInput): Promise<ReadReview> {
  const { text, io } = input;
  const address = readAddress(input);
  const id = readId(input);
  const trust = await readTrust(input);
  const response =
    address === undefined
      ? parseReview(await readInput(text('file') ?? '', io, MAX_REVIEW_BYTES))
      : await fetchReview(address);
  return { review: verify(response, id, trust), address, trust };
}

/** Verifies a review. @throws AttestationError; ReviewError */
export function verify(
  response: ReviewResponse,
  id: string | undefined,
  { manifest, image, coldReceiptKey }: ReviewTrustFiles,
): VerifiedReview {
  const now = Date.now();
  if (coldReceiptKey !== undefined)
    return verifyReview(response, { manifest, node: { receiptKey: coldReceiptKey }, id, now });
  const { pcrs, root } = image;
  const expectedPcr16 = computeManifestPcr(manifest);
  const document = verifyAttestationDocument(decodeReviewPart(response.document), {
    root,
    at: now,
    pcrs: new Map([...pcrs, [MANIFEST_PCR, expectedPcr16]]),
  });
  const attested = { pcr16: document.pcrs.get(MANIFEST_PCR), userData: document.userData };
  return verifyReview(response, { manifest, node: { attested, expectedPcr16 }, id, now });
}

async function readTrust({ text, io }: CommandInput): Promise<ReviewTrustFiles> {
  const path = text('manifest') ?? '';
  const manifest = await readInput(path, io);
  const identity = text('cold-identity');
  if (identity !== undefined) {
    if (text('file') === undefined) throw new UsageError('a review of a cold node is a file: --file');
    inFile(path, () => parseColdManifest(manifest));
    const bytes = await readInput(identity, io);
    return { manifest, coldReceiptKey: inFile(identity, () => openColdIdentity(bytes)).receiptKey };
  }
  inFile(path, () => parseManifest(manifest));
  const pcrs = text('pcrs');
  if (pcrs === undefined) throw new UsageError('one of --pcrs and --cold-identity is needed');
  return {
    manifest,
    image: { pcrs: await readPcrFile(pcrs, io), root: await readRootFile(text('root'), io) },
  };
}

function readAddress(input: CommandInput): RequestAddress | undefined {
  const url = input.text('url');
  if ((url === undefined) === (input.text('file') === undefined))
    throw new UsageError('one of --url and --file is needed');
  if (url === undefined) return undefined;
  const id = readId(input);
  if (id === undefined) throw new UsageError('missing ID');
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    throw new UsageError('--url is https://host:port');
  return { url: parsed, id };
}

function readId({ positionals: [id] }: CommandInput): string | undefined {
  if (id !== undefined && !/^[0-9a-f]{32}$/.test(id)) throw new UsageError('ID has 32 hex digits');
  return id;
}
