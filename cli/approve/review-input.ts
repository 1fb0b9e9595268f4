import { MANIFEST_PCR, computeManifestPcr, verifyAttestationDocument } from '../../attestation/index.ts';
import {
  decodeReviewPart,
  parseReview,
  type VerifiedReview,
  verifyReview,
} from '../../policy/approvals/index.ts';
import { MAX_REVIEW_BYTES, type ReviewResponse } from '../../shared/api/requests.ts';
import { type CommandInput, type OptionSpec, readInput, UsageError } from '../common/command.ts';
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
    required: true,
    setting: 'pcrs',
    description: 'pcr.json of the image that the node must run',
  },
  manifest: {
    type: 'string',
    value: 'FILE',
    required: true,
    setting: 'manifest',
    description: 'the manifest that the node must have been given',
  },
  root: {
    type: 'string',
    value: 'PEM',
    setting: 'root',
    description: "the root of its attestation documents (default: AWS's)",
  },
} as const satisfies Record<string, OptionSpec>;

/** A review that was verified, and where votes on it go; undefined for one from a file. */
export interface ReadReview {
  readonly review: VerifiedReview;
  readonly address: RequestAddress | undefined;
}

/** Reads and verifies a request. @throws UsageError; AttestationError; ReviewError; ApproveError; NodeRefusal; CliError */
export async function readReview(input: CommandInput): Promise<ReadReview> {
  const { text, io } = input;
  const address = readAddress(input);
  const response =
    address === undefined
      ? parseReview(await readInput(text('file') ?? '', io, MAX_REVIEW_BYTES))
      : await fetchReview(address);
  return { review: await verify(response, address?.id ?? readId(input), input), address };
}

/** Verifies a review by the options of the command. @throws AttestationError; ReviewError */
export async function verify(
  response: ReviewResponse,
  id: string | undefined,
  { text, io }: CommandInput,
): Promise<VerifiedReview> {
  const manifest = await readInput(text('manifest') ?? '', io);
  const expectedPcr16 = computeManifestPcr(manifest);
  const now = Date.now();
  const { pcrs, userData } = verifyAttestationDocument(decodeReviewPart(response.document), {
    root: await readRootFile(text('root'), io),
    at: now,
    pcrs: new Map([...(await readPcrFile(text('pcrs') ?? '', io)), [MANIFEST_PCR, expectedPcr16]]),
  });
  const attested = { pcr16: pcrs.get(MANIFEST_PCR), userData };
  return verifyReview(response, { manifest, attested, expectedPcr16, id, now });
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
