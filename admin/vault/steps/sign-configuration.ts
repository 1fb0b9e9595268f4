import { createPublicKey, type KeyObject } from 'node:crypto';
import { createEnvelope, ed25519PublicKeyHex } from '../../../shared/dsse/index.ts';
import {
  type Configuration,
  CONFIGURATION_PAYLOAD_TYPE,
  openConfiguration,
  parseConfiguration,
} from '../../../shared/documents/configuration.ts';
import { ConfigurationError } from '../../../shared/documents/errors.ts';
import { digestManifest, type Manifest, parseManifest } from '../../../shared/documents/manifest.ts';
import { parseConfigurationFile, signConfiguration } from '../../configurations/index.ts';
import { findNode } from '../derive/manifest.ts';
import { digestOf, type StepName } from '../exchange/index.ts';
import type { StepContext } from './context.ts';
import { describeDifference } from './configuration/derive.ts';
import { StepError } from './errors.ts';
import { openFunction, readSigned } from './function-client.ts';
import { readManifestBytes } from './support.ts';

/** Lines of a change that a person is shown; the digest confirms the rest too. */
const MAX_SHOWN_LINES = 400;

/** Configuration of a node that is to be signed. */
export interface SigningOrder {
  readonly node: number;
  /** Step whose configuration it is. */
  readonly step: StepName;
  /** Version that it is to have; a greater one where the function has signed that one before. */
  readonly version: number;
  /** Makes its bytes with a version; the same ones each time. */
  readonly derive: (version: number) => Promise<Uint8Array>;
  /** Configuration against which a person is shown the change in words; left out: none was before. */
  readonly against?: Configuration;
}

/** Configuration that will be signed, as a person is shown it. */
export interface PlannedConfiguration {
  readonly version: number;
  readonly changes: readonly string[];
}

/** Configuration that enough authorities of its node have signed. */
export interface SignedByAuthorities {
  readonly version: number;
  /** SHA-384 of the configuration's bytes, hex. */
  readonly digest: string;
  /** DSSE envelope. */
  readonly envelope: Uint8Array;
}

/** What the journal keeps between what a person was shown and what is signed. */
interface Confirmed {
  readonly version: number;
  /** SHA-384 of the configuration's bytes, hex. */
  readonly digest: string;
  /** Digest by which the function knows that the change was confirmed. */
  readonly confirmation: string;
}

/**
 * Plans what will be signed: a person is shown its digest, and, where the function in the node admin's account signs too,
 * what changes by it against the newest one that the function has signed.
 *
 * @throws StepError VAULT_FUNCTION_CHANGED, VAULT_SIGNING_…; AdminError AWS_…
 */
export async function planConfiguration(
  context: StepContext,
  order: SigningOrder,
): Promise<PlannedConfiguration> {
  const { node, step, derive, against: before } = order;
  let { version } = order;
  let payload = await derive(version);
  if (!(await readAuthority(context, node)).isByFunction) {
    await context.journal.set(journalName(step), undefined);
    const changed = before === undefined ? [] : describeDifference(before, parseConfiguration(payload));
    return { version, changes: [`  SHA-384 ${digestOf(payload)}`, ...changed] };
  }
  const signer = await openFunction(context, node);
  let described = await signer.describe(payload);
  if ('notAbove' in described) {
    version = described.notAbove + 1;
    payload = await derive(version);
    described = await signer.describe(payload);
  }
  const digest = digestOf(payload);
  if ('notAbove' in described || described.digest !== digest) throw aboutAnother(node, digest);
  const { against, confirmation, text } = described;
  const confirmed: Confirmed = { version, digest, confirmation };
  await context.journal.set(journalName(step), confirmed);
  const lines = text.split('\n').filter((line) => line !== '');
  const more = lines.length - MAX_SHOWN_LINES;
  return {
    version,
    changes: [
      `  SHA-384 ${digest}`,
      `has the function ${signer.name} sign it too, against ${against === null ? 'no configuration before' : `configuration ${against.version}`}:`,
      ...lines.slice(0, MAX_SHOWN_LINES).map((line) => `  ${line}`),
      ...(more > 0 ? [`  and ${more} lines more, which "holdfast config diff" shows`] : []),
    ],
  };
}

/**
 * Signs a configuration that was planned before, with as many authorities as the manifest wants: the keys at hand, and
 * the function where they are too few. The function signs what was confirmed, and nothing else.
 *
 * @throws StepError VAULT_AUTHORITY_MISSING, VAULT_PLAN_CHANGED, VAULT_FUNCTION_CHANGED, VAULT_SIGNING_…,
 *   VAULT_OBJECT_DIFFERS; AdminError AWS_…
 */
export async function signPlanned(
  context: StepContext,
  { node, step, derive, ...order }: SigningOrder,
): Promise<SignedByAuthorities> {
  const confirmed = context.journal.get(journalName(step)) as Confirmed | undefined;
  const version = confirmed?.version ?? order.version;
  const payload = await derive(version);
  const digest = digestOf(payload);
  const { manifest, manifestDigest, signers, isByFunction } = await readAuthority(context, node);
  const { threshold } = manifest.configurationAuthority;
  if (signers.length + (isByFunction ? 1 : 0) < threshold) throw missing(manifest, signers.length);
  const own = signByKeys(payload, signers);
  const envelope = isByFunction ? await signByFunction(context, { node, digest, confirmed }, own) : own;
  try {
    const opened = openConfiguration(envelope, { manifest, digest: manifestDigest });
    if (Buffer.from(opened.digest).toString('hex') === digest) return { version, digest, envelope };
  } catch (error) {
    if (!(error instanceof ConfigurationError) || !isByFunction) throw error;
  }
  throw aboutAnother(node, digest);
}

async function signByFunction(
  context: StepContext,
  {
    node,
    digest,
    confirmed,
  }: { readonly node: number; readonly digest: string; readonly confirmed: Confirmed | undefined },
  envelope: Uint8Array,
): Promise<Uint8Array> {
  if (confirmed?.digest !== digest) {
    throw new StepError('VAULT_PLAN_CHANGED', 'what is to be signed is no longer what was shown', {
      node,
      expected: confirmed?.digest ?? null,
      actual: digest,
    });
  }
  const signer = await openFunction(context, node);
  const signed = await signer.sign(envelope, confirmed.confirmation);
  // A signature of which the bucket knows nothing is none that anybody could find later.
  const kept = await readSigned(context, node, signed.key, signed.envelope.length);
  if (kept !== undefined && Buffer.compare(kept, signed.envelope) === 0) return signed.envelope;
  throw new StepError(
    'VAULT_OBJECT_DIFFERS',
    'the bucket does not hold what the function says that it has signed',
    { node, key: signed.key },
  );
}

/** Finds who is to sign by a node's manifest: keys at hand, and where they are too few the function of its stack, if any. */
async function readAuthority(context: StepContext, node: number) {
  const bytes = await readManifestBytes(context, node);
  const manifest = parseManifest(bytes);
  const signers = findSigners(manifest, context);
  const { function: hasFunction } = findNode(context.vault, node).configurationAuthority;
  const isByFunction = hasFunction && signers.length < manifest.configurationAuthority.threshold;
  return { manifest, manifestDigest: digestManifest(bytes), signers, isByFunction };
}

/** Private keys at hand that are authorities, as many as the threshold at most. */
function findSigners(
  { configurationAuthority: { keys, threshold } }: Manifest,
  { authorities }: Pick<StepContext, 'authorities'>,
): readonly KeyObject[] {
  const own = new Map(authorities.map((key) => [ed25519PublicKeyHex(createPublicKey(key)), key]));
  return keys.flatMap((key) => own.get(key) ?? []).slice(0, threshold);
}

function signByKeys(payload: Uint8Array, signers: readonly KeyObject[]): Uint8Array {
  const empty = createEnvelope(CONFIGURATION_PAYLOAD_TYPE, payload);
  let bytes: Uint8Array = new Uint8Array(Buffer.from(JSON.stringify(empty)));
  for (const key of signers)
    bytes = new Uint8Array(Buffer.from(signConfiguration(parseConfigurationFile(bytes), key).text));
  return bytes;
}

function missing({ configurationAuthority: { keys, threshold } }: Manifest, actual: number): StepError {
  return new StepError(
    'VAULT_AUTHORITY_MISSING',
    'too few of the private keys that were given are authorities of this node',
    { expected: threshold, actual, authorities: keys },
  );
}

function aboutAnother(node: number, digest: string): StepError {
  return new StepError(
    'VAULT_SIGNING_MALFORMED',
    'the function has answered about another configuration than the one that it was asked for',
    { node, expected: digest },
  );
}

const journalName = (step: StepName): string => `signing/${step}`;
