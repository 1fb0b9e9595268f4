import type { KMSClient } from '@aws-sdk/client-kms';
import type { S3Client } from '@aws-sdk/client-s3';
import {
  assertAuthority,
  assertNamesManifest,
  checkSignatures,
  compareWithInForce,
  type ConfigurationFile,
  type ConfiguredNode,
  encodeEnvelope,
  parseConfigurationFile,
} from '../../../admin/configurations/index.ts';
import { HoldfastError } from '../../../shared/errors.ts';
import type { LambdaContext, WriteLog } from '../lambda.ts';
import { ConfigurationBucket, keyOf } from './bucket.ts';
import { findPlace, type Place } from './chain.ts';
import { describeChange, lintForSigning } from './description.ts';
import { ConfigSigningError } from './errors.ts';
import { readNodeManifest, type StackNode } from './node.ts';
import type { ConfigSigningResponse, ConfigSigningResult } from './protocol.ts';
import { parseRequest, type ParsedRequest } from './request.ts';
import { ConfigSigner } from './signer.ts';

export interface HandlerOptions {
  readonly kms: Pick<KMSClient, 'send'>;
  readonly s3: Pick<S3Client, 'send'>;
  readonly stack: StackNode;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: WriteLog;
}

/** Milliseconds before Lambda's end at which work is given up, so that the caller is told. */
const MARGIN_MS = 2_000;
/** Attempts to write behind the newest configuration, where others write at the same time. */
const MAX_ATTEMPTS = 3;

/**
 * Makes the handler of the config signing function. It responds to everything, refusals included, and logs codes alone.
 *
 * A configuration is signed that parses, names the manifest of the stack's own node, is newer than the newest one in the
 * bucket, has no errors for `config lint`, and whose change somebody has confirmed; it lies in the bucket before anybody
 * gets it. Under each number of the bucket there is one, for good.
 */
export function createHandler(options: HandlerOptions) {
  return async (event: unknown, context: LambdaContext): Promise<ConfigSigningResponse> => {
    const signal = AbortSignal.timeout(Math.max(0, context.getRemainingTimeInMillis() - MARGIN_MS));
    let action: string | undefined;
    try {
      const request = parseRequest(event);
      ({ action } = request);
      const response = await respond(request, options, signal);
      options.log({ action, ok: true });
      return response;
    } catch (error) {
      const refusal = describeRefusal(error);
      options.log({ action, ok: false, code: refusal.code });
      return refusal;
    }
  };
}

function describeRefusal(error: unknown): Extract<ConfigSigningResponse, { ok: false }> {
  if (error instanceof HoldfastError)
    return { ok: false, code: error.code, message: error.message, details: error.details };
  return { ok: false, code: 'INTERNAL', message: 'the function failed', details: {} };
}

async function respond(
  request: ParsedRequest,
  { kms, s3, stack, now }: HandlerOptions,
  signal: AbortSignal,
): Promise<ConfigSigningResponse> {
  const file = parseConfigurationFile(request.bytes);
  const bucket = new ConfigurationBucket(s3, stack.bucket, signal);
  const node = readNodeManifest(await bucket.readManifest(), stack);
  assertNamesManifest(file, node);
  const signer = new ConfigSigner(kms, stack.signingKeyArn, signal);
  const publicKey = await signer.readPublicKey();
  assertAuthority(publicKey, node.manifest);

  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const place = await findPlace(file, bucket, node);
    if (request.action === 'describe') return { ok: true, description: describe(file, place, node, now()) };
    assertConfirmed(file, place, node, request.confirmation);
    if (place.signed !== undefined)
      return {
        ok: true,
        signed: toResult(place.signed.envelope, file, { place, publicKey, isRepeated: true }),
      };
    assertNewer(file, place);
    lintForSigning(file, node, now());
    const envelope = await signer.sign(keepAuthorities(file, node), publicKey);
    if (await bucket.append(place.number, Buffer.from(encodeEnvelope(envelope))))
      return { ok: true, signed: toResult(envelope, file, { place, publicKey, isRepeated: false }) };
  }
  throw new ConfigSigningError('SIGNING_UNAVAILABLE', 'others write to the bucket at the same time', {
    operation: 's3:PutObject',
    error: 'PreconditionFailed',
  });
}

function describe(file: ConfigurationFile, place: Place, node: ConfiguredNode, now: number) {
  if (place.signed === undefined) assertNewer(file, place);
  const findings = lintForSigning(file, node, now);
  return { ...describeChange(file, place.before, node), findings };
}

/** @throws AdminError VERSION_NOT_NEWER */
function assertNewer({ configuration }: ConfigurationFile, { before }: Place): void {
  if (before !== undefined) compareWithInForce(configuration, before.configuration, true);
}

/** @throws ConfigSigningError SIGNING_NOT_CONFIRMED */
function assertConfirmed(
  file: ConfigurationFile,
  { before }: Place,
  node: ConfiguredNode,
  confirmation: string,
): void {
  const { confirmation: expected, against } = describeChange(file, before, node);
  if (confirmation === expected) return;
  // The digest that would do is not told: whoever wants it has the change described.
  throw new ConfigSigningError(
    'SIGNING_NOT_CONFIRMED',
    'the confirmation is of another configuration, or against another newest one: have the change described again',
    { digest: file.digest, against: against?.version ?? null },
  );
}

/** Keeps signatures that verify, of keys that the manifest names: with several authorities each adds its own. */
function keepAuthorities({ envelope }: ConfigurationFile, { manifest }: ConfiguredNode) {
  const good = new Set(
    checkSignatures(envelope)
      .filter(({ key, isValid }) => isValid && manifest.configurationAuthority.keys.includes(key))
      .map(({ key }) => key),
  );
  const signatures = envelope.signatures.filter(
    ({ keyid }, index, all) => good.has(keyid) && all.findIndex((other) => other.keyid === keyid) === index,
  );
  return { ...envelope, signatures };
}

function toResult(
  envelope: ConfigurationFile['envelope'],
  { configuration: { version }, digest }: ConfigurationFile,
  { place, publicKey, isRepeated }: { place: Place; publicKey: string; isRepeated: boolean },
): ConfigSigningResult {
  return {
    version,
    digest,
    envelope: Buffer.from(encodeEnvelope(envelope)).toString('base64'),
    key: keyOf(place.number),
    signer: publicKey,
    isRepeated,
  };
}
