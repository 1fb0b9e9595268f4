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

/** A statement that somebody answers for. */
export interface GateException {
  /** Its Sid, or its digest as {@link identifyStatements} gives it. */
  readonly statement: string;
  /** Why it may pass; kept in the record. */
  readonly reason: string;
}

export interface GateOptions {
  /** The policy that is to be put. */
  readonly policy: string;
  /** The policy that is in force; without it everything counts as gained. */
  readonly current?: string;
  readonly keyArn: string;
  /** ARN of the role under which the node's requests are signed. */
  readonly nodeRole: string;
  readonly admins: readonly string[];
  /** The pcr.json of the image that is to be admitted, PCR16 with it. */
  readonly expected: PcrValues;
  /** Images that may stay beside it, each until its date. */
  readonly others?: readonly AdmittedImage[];
  /** The node's encryption context, from its manifest. */
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Statements that may pass although nothing shows them to be harmless. */
  readonly exceptions?: readonly GateException[];
  /** What a running enclave of the new image answered to the nonce. */
  readonly document: Uint8Array;
  /** Made for this decision and sent to that enclave. */
  readonly nonce: Uint8Array;
  /** The trust anchor, a certificate in DER. */
  readonly root: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The oldest document to take, in milliseconds. */
  readonly maxAgeMs: number;
  /** A finding of this severity or worse stops the policy. Default: medium. */
  readonly threshold?: Severity;
}

/** A policy that may be put, and why. */
export interface GateDecision {
  readonly document: VerifiedDocument;
  /** Those below the threshold, and those of excepted statements. */
  readonly findings: readonly Finding[];
  readonly difference: PolicyDifference;
  /** Statements that passed for a reason that somebody gave. */
  readonly exceptions: readonly RecordedException[];
  /** What an admin signs and keeps: JSON, the same bytes for the same decision. */
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
 * @throws AttestationError when the document is not that enclave's; KeyPolicyError GATE_FINDINGS, GATE_UNPROVEN,
 * GATE_EXCEPTION, GATE_NOT_ADMITTED
 */
export function gateKeyPolicy(options: GateOptions): GateDecision {
  const { policy, current, keyArn, now, nonce, expected, others = [], nodeRole, admins } = options;
  const { encryptionContext } = options;
  if (nonce.length < MIN_NONCE_BYTES) throw new RangeError(`a nonce has at least ${MIN_NONCE_BYTES} bytes`);
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
    throw new KeyPolicyError('GATE_FINDINGS', 'the policy has findings that stop it', { findings: grave });
  }
  assertProven(options, excused);
  assertAdmits(options, document.pcrs);
  const difference = diffKeyPolicies(current ?? EMPTY_POLICY, policy, { keyArn, now });
  const record = writeRecord(options, { document, exceptions, findings, difference });
  return { document, findings, difference, exceptions, record };
}

/** The statements that the exceptions name, each of them one. */
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

/** Every statement is what `render` writes, or harmless, or excepted; and no Deny of `render` is gone. */
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

/** The policy lets this very enclave decrypt. */
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
