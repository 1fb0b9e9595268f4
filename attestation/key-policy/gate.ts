import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { isUnusedPcr, type PcrValues } from '../pcr.ts';
import { describeTrustAnchor } from '../trust-anchor.ts';
import type { VerifiedDocument } from '../verdict.ts';
import { verifyAttestationDocument } from '../verifier.ts';
import { createBudget } from './budget.ts';
import { principalArn } from './caller-context.ts';
import { diffKeyPolicies, type PolicyDifference } from './diff.ts';
import { parseKeyPolicy } from './document.ts';
import { KeyPolicyError } from './errors.ts';
import type { Finding, Severity } from './finding.ts';
import { encodeGateRecord, GATE_RECORD_FORMAT, type RecordedException } from './gate-record.ts';
import { compareWithRendered, identifyStatements } from './known-statements.ts';
import { isAtLeast, lintKeyPolicy } from './lint.ts';
import { toPcrHex, variableOfPcr } from './pcr-values.ts';
import type { AdmittedImage } from './render.ts';
import { findAllowed, openInquiry } from './search.ts';

/** An exception for one statement, for which a person answers. */
export interface GateException {
  /** Sid of the statement, or its digest as {@link identifyStatements} gives it. */
  readonly statement: string;
  /** Reason why the statement may pass; kept in the record. */
  readonly reason: string;
}

/** Options of {@link gateKeyPolicy}. */
export interface GateOptions {
  /** JSON of the policy that is to be put. */
  readonly policy: string;
  /** JSON of the policy in force; without it every permission counts as gained. */
  readonly current?: string;
  readonly keyArn: string;
  /** ARN of the role under which the node's requests are signed. */
  readonly nodeRole: string;
  /** ARNs of the roles or users that administrate the key. */
  readonly admins: readonly string[];
  /** PCRs of the image that is to be admitted, 48 bytes each, PCR16 among them. */
  readonly expected: PcrValues;
  /** Images that may decrypt beside the new one, each until its date. */
  readonly others?: readonly AdmittedImage[];
  /** The node's encryption context, from its manifest. */
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Statements that may pass although nothing shows them to be harmless. */
  readonly exceptions?: readonly GateException[];
  /** Attestation document of a running enclave of the new image, for `nonce`. */
  readonly document: Uint8Array;
  /** Nonce of 16 bytes or more, made for this decision and sent to that enclave. */
  readonly nonce: Uint8Array;
  /** The trust anchor, a certificate in DER. */
  readonly root: Uint8Array;
  /** Time of the decision, in milliseconds since 1970. */
  readonly now: number;
  /** Maximum age of the document, in milliseconds. */
  readonly maxAgeMs: number;
  /** A finding of this severity or worse stops the policy. Default: medium. */
  readonly threshold?: Severity;
}

/** The decision that a policy may be put, with its grounds. */
export interface GateDecision {
  readonly document: VerifiedDocument;
  /** Findings below the threshold, and those of excepted statements. */
  readonly findings: readonly Finding[];
  readonly difference: PolicyDifference;
  /** Statements that passed by an exception. */
  readonly exceptions: readonly RecordedException[];
  /** Record for an admin to sign and keep: JSON, the same bytes for the same decision. */
  readonly record: Uint8Array;
}

const EMPTY_POLICY =
  '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}';
const MIN_NONCE_BYTES = 16;

/**
 * Lets a policy pass only when a live enclave has shown that it is the image that the policy admits: its
 * document verifies now, is fresh, carries the nonce, and has all PCRs of the pcr.json; the policy admits it; the
 * linter finds nothing of weight; and every statement is one that `render` writes for what was stated, or harmless by
 * its form, or excepted by somebody who says why. An exception excuses no critical finding.
 *
 * @throws AttestationError when the document is not that enclave's
 * @throws KeyPolicyError GATE_FINDINGS, GATE_UNPROVEN, GATE_EXCEPTION, GATE_NOT_ADMITTED, and the `POLICY_…` codes
 * @throws RangeError for a nonce of fewer than 16 bytes
 *
 * Source: KMS Developer Guide, "Condition keys for Nitro Enclaves"; docs/key-policy.md for the record.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { gateKeyPolicy } from '@holdfast-nodes/holdfast/attestation/key-policy';
 *
 * const { record, difference } = gateKeyPolicy({
 *   policy: await readFile('policy.json', 'utf8'),
 *   keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
 *   nodeRole: 'arn:aws:iam::111122223333:role/node',
 *   admins: ['arn:aws:iam::111122223333:role/admin'],
 *   encryptionContext: { 'holdfast:node': '1' },
 *   expected: parsePcrFile(await readFile('node.pcr.json')),
 *   document: await readFile('document.bin'),
 *   nonce: await readFile('nonce.bin'),
 *   root: AWS_NITRO_ROOT_G1,
 *   now: Date.now(),
 *   maxAgeMs: 300_000,
 * });
 * console.log(JSON.parse(Buffer.from(record).toString()).format); // holdfast-key-policy-decision/1
 * console.log(difference.gained.length > 0); // true
 * ```
 */
export function gateKeyPolicy(options: GateOptions): GateDecision {
  const { policy, current, keyArn, now, nonce, expected, others = [], nodeRole, admins } = options;
  const { encryptionContext } = options;
  if (nonce.length < MIN_NONCE_BYTES)
    throw new RangeError(`the nonce has ${nonce.length} bytes: expected ${MIN_NONCE_BYTES} or more`);
  const document = verifyAttestationDocument(options.document, {
    root: options.root,
    at: now,
    maxAgeMs: options.maxAgeMs,
    nonce,
    pcrs: expected,
  });
  const exceptions = resolveExceptions(options);
  const images = [expected, ...others.map(({ pcrs }) => pcrs)];
  const findings = lintKeyPolicy(policy, {
    keyArn,
    now,
    nodes: [nodeRole],
    admins,
    images,
    encryptionContext,
  });
  const excused = new Set(exceptions.map(({ statement }) => statement.index));
  const grave = findings.filter(
    (finding) =>
      isAtLeast(finding, options.threshold ?? 'medium') &&
      (finding.severity === 'critical' || !excused.has(finding.statement?.index ?? -1)),
  );
  if (grave.length > 0) {
    throw new KeyPolicyError(
      'GATE_FINDINGS',
      `the policy has ${grave.length} findings at or above the threshold`,
      {
        findings: grave,
      },
    );
  }
  assertProven(options, excused);
  assertAdmits(options, document.pcrs);
  const difference = diffKeyPolicies(current ?? EMPTY_POLICY, policy, { keyArn, now });
  const record = writeRecord(options, { document, exceptions, findings, difference });
  return { document, findings, difference, exceptions, record };
}

/** Resolves each exception to the one statement that it names. */
function resolveExceptions({ policy, exceptions = [] }: GateOptions): RecordedException[] {
  const statements = identifyStatements(policy);
  return exceptions.map(({ statement: name, reason }) => {
    const [statement, another] = statements.filter(({ sid, sha256 }) => sid === name || sha256 === name);
    if (statement === undefined || another !== undefined || reason.trim() === '') {
      throw new KeyPolicyError(
        'GATE_EXCEPTION',
        'an exception names one statement of the policy, by its Sid or digest, and says why',
        { statement: name, statements },
      );
    }
    return { statement, reason };
  });
}

/** Checks that every statement is one that `render` writes, harmless or excepted, and that no Deny of `render` is missing. */
function assertProven(options: GateOptions, excused: ReadonlySet<number>): void {
  const { policy, keyArn, nodeRole, admins, expected, others = [], encryptionContext } = options;
  const rendered = {
    nodeRole,
    admins,
    images: [{ pcrs: expected }, ...others],
    encryptionContext,
  } as const;
  const { unproven, missing } = compareWithRendered(policy, rendered, keyArn);
  const left = unproven.filter(({ index }) => !excused.has(index));
  if (left.length === 0 && missing.length === 0) return;
  throw new KeyPolicyError(
    'GATE_UNPROVEN',
    'the policy is not what render writes for the images, roles, admins and dates that were stated: render it anew, or name each statement in an exception with its reason',
    { unproven: left, missing },
  );
}

/** Checks that the policy lets the enclave of the document decrypt. */
function assertAdmits({ policy, keyArn, nodeRole, now }: GateOptions, pcrs: PcrValues): void {
  const parsed = parseKeyPolicy(policy);
  const measured = new Map(
    Array.from({ length: 32 }, (_, pcr) => [variableOfPcr(pcr), toPcrHex(pcrs.get(pcr))] as const),
  );
  const inquiry = openInquiry([parsed], {
    keyArn,
    now,
    budget: createBudget(),
    also: new Map([...measured].map(([key, value]) => [key, [value]])),
    principals: [nodeRole],
  });
  const only = (key: string): ((values: readonly string[]) => boolean) | undefined => {
    const value = measured.get(key);
    return value === undefined ? undefined : (values) => values.join() === value;
  };
  const admitted = inquiry.callers
    .filter(({ caller }) => principalArn(caller) === nodeRole)
    .flatMap((who) => [
      ...findAllowed(inquiry, parsed, { action: 'kms:Decrypt', who, attestation: 'enclave', only }),
    ])
    .some(({ proven }) => proven);
  if (!admitted) {
    throw new KeyPolicyError('GATE_NOT_ADMITTED', 'the policy does not let the live enclave decrypt', {
      nodeRole,
    });
  }
}

function writeRecord(
  { policy, current, keyArn, nonce, now, document: bytes }: GateOptions,
  { document, exceptions, findings, difference }: Omit<GateDecision, 'record'>,
): Uint8Array {
  const used = [...document.pcrs].filter(([, value]) => !isUnusedPcr(value)).sort(([a], [b]) => a - b);
  return encodeGateRecord({
    format: GATE_RECORD_FORMAT,
    decidedAt: new Date(now).toISOString(),
    keyArn,
    policySha256: digest(utf8ToBytes(policy)),
    replacesSha256: current === undefined ? null : digest(utf8ToBytes(current)),
    document: {
      sha256: digest(bytes),
      root: describeTrustAnchor(document),
      moduleId: document.moduleId,
      instanceId: document.instanceId,
      signedAt: new Date(document.timestamp).toISOString(),
      nonce: bytesToHex(nonce),
      pcrs: Object.fromEntries(used.map(([pcr, value]) => [`PCR${pcr}`, bytesToHex(value)])),
    },
    exceptions,
    findings,
    gained: difference.gained,
    lost: difference.lost,
  });
}

function digest(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}
