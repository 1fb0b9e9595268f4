import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { isUnusedPcr, type PcrValues } from '../pcr.ts';
import { describeTrustAnchor } from '../trust-anchor.ts';
import type { VerifiedDocument } from '../verdict.ts';
import { verifyAttestationDocument } from '../verifier.ts';
import { createBudget } from './budget.ts';
import { principalArn, representCallers } from './callers.ts';
import { diffKeyPolicies, type PolicyDifference } from './diff.ts';
import { parseKeyPolicy } from './document.ts';
import { KeyPolicyError } from './errors.ts';
import type { Finding, Severity } from './finding.ts';
import { isAtLeast, lintKeyPolicy } from './lint.ts';
import { findAllowed } from './search.ts';

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
  /** Images that may stay beside it. */
  readonly others?: readonly PcrValues[];
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
  /** Those below the threshold. */
  readonly findings: readonly Finding[];
  readonly difference: PolicyDifference;
  /** What an admin signs and keeps: JSON, the same bytes for the same decision. */
  readonly record: Uint8Array;
}

export const GATE_RECORD_FORMAT = 'holdfast-key-policy-decision/1';
export const GATE_RECORD_TYPE = 'application/vnd.holdfast.key-policy-decision+json';
const EMPTY_POLICY =
  '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}';
const MIN_NONCE_BYTES = 16;

/**
 * Lets a policy pass only when a live enclave has shown that it is the image that the policy admits (P06): its
 * document verifies now, is fresh, carries the nonce, and has all PCRs of the pcr.json; the policy admits it; and
 * the linter finds nothing of weight.
 *
 * @throws AttestationError when the document is not that enclave's; KeyPolicyError GATE_FINDINGS, GATE_NOT_ADMITTED
 */
export function gateKeyPolicy(options: GateOptions): GateDecision {
  const { policy, current, keyArn, now, nonce, expected, others = [], nodeRole, admins } = options;
  if (nonce.length < MIN_NONCE_BYTES) throw new RangeError(`a nonce has at least ${MIN_NONCE_BYTES} bytes`);
  const document = verifyAttestationDocument(options.document, {
    root: options.root,
    at: now,
    maxAgeMs: options.maxAgeMs,
    nonce,
    pcrs: expected,
  });
  const images = [expected, ...others];
  const findings = lintKeyPolicy(policy, { keyArn, now, nodes: [nodeRole], admins, images });
  const grave = findings.filter((finding) => isAtLeast(finding, options.threshold ?? 'medium'));
  if (grave.length > 0) {
    throw new KeyPolicyError('GATE_FINDINGS', 'the policy has findings that stop it', { findings: grave });
  }
  assertAdmits(options, document.pcrs);
  const difference = diffKeyPolicies(current ?? EMPTY_POLICY, policy, { keyArn, now });
  return { document, findings, difference, record: writeRecord(options, document, findings, difference) };
}

/** The policy lets this very enclave decrypt. */
function assertAdmits({ policy, keyArn, nodeRole, now }: GateOptions, pcrs: PcrValues): void {
  const parsed = parseKeyPolicy(policy);
  const measured = Array.from({ length: 32 }, (_, pcr) => {
    const value = pcrs.get(pcr);
    return [`kms:recipientattestation:pcr${pcr}`, value === undefined ? [] : [bytesToHex(value)]] as const;
  });
  const who = representCallers([parsed], keyArn.split(':')[4] ?? '').find(
    ({ caller }) => principalArn(caller) === nodeRole,
  );
  const admitted =
    who !== undefined &&
    [
      ...findAllowed(parsed, {
        action: 'kms:Decrypt',
        who,
        attestation: 'enclave',
        keyArn,
        now,
        budget: createBudget(),
        also: new Map(measured),
        only: new Map(
          measured.map(([key, value]) => [
            key,
            (values: readonly string[]) => values.join() === value.join(),
          ]),
        ),
      }),
    ].length > 0;
  if (!admitted) {
    throw new KeyPolicyError('GATE_NOT_ADMITTED', 'the policy does not let the live enclave decrypt', {
      nodeRole,
    });
  }
}

function writeRecord(
  { policy, current, keyArn, nonce, now, document: bytes }: GateOptions,
  document: VerifiedDocument,
  findings: readonly Finding[],
  { gained, lost }: PolicyDifference,
): Uint8Array {
  const used = [...document.pcrs].filter(([, value]) => !isUnusedPcr(value)).sort(([a], [b]) => a - b);
  const record = {
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
    findings,
    gained,
    lost,
  };
  return utf8ToBytes(`${JSON.stringify(record)}\n`);
}

function digest(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}
