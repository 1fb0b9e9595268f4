import {
  AttestationError,
  describeName,
  describeTrustAnchor,
  reportPcrs,
  type Certificate,
  type PcrReport,
  type PcrValues,
  type TrustAnchor,
  type UnverifiedDocument,
  type VerifiedDocument,
} from '../../attestation/index.ts';
import { printable } from '../common/printable.ts';

/** Proof that a document is fresh, as the command line asked for it. */
export interface Freshness {
  readonly nonce: boolean;
  readonly maxAgeMs: number | null;
}

/** Renders a verified document as `--json` gives it. */
export function verifiedAsData(
  document: VerifiedDocument,
  expected: PcrValues,
  { nonce, maxAgeMs }: Freshness,
): Record<string, unknown> {
  const { kind, moduleId, instanceId, timestamp, verifiedAt, validUntil, debug, certificates } = document;
  return {
    verified: true,
    trustAnchor: describeTrustAnchor(document),
    freshness: { nonce, maxAgeSeconds: maxAgeMs === null ? null : maxAgeMs / 1000 },
    kind,
    debug,
    moduleId,
    instanceId,
    timestamp: isoTime(timestamp),
    verifiedAt: isoTime(verifiedAt),
    validUntil: isoTime(validUntil),
    pcrs: reportPcrs(document.pcrs, expected, kind),
    nonce: document.nonce,
    userData: document.userData,
    publicKey: document.publicKey,
    certificates: certificates.map(certificateAsData),
  };
}

/** PCR of a TPM with what the firmware started. */
const BOOT_PCR = 4;
const BOOT_NOT_COMPARED = `WARNING: pcr.json does not name PCR${BOOT_PCR}: nothing says which boot manager or image was started`;

export function verifiedAsText(
  document: VerifiedDocument,
  expected: PcrValues,
  bound: readonly string[],
  freshness: Freshness,
): string {
  const { kind, moduleId, instanceId, timestamp, validUntil, debug } = document;
  const reports = reportPcrs(document.pcrs, expected, kind);
  return [
    `verified: ${kind === 'enclave' ? 'a Nitro Enclave' : 'a NitroTPM'}${isAskedFor(freshness) ? '' : '; freshness was not asked for'}`,
    ...(debug
      ? ['WARNING: in debug mode its memory is open to the parent instance; this proves nothing']
      : []),
    ...(kind === 'nitrotpm' && !expected.has(BOOT_PCR) ? [BOOT_NOT_COMPARED] : []),
    ...trustAnchorLines(describeTrustAnchor(document)),
    `  fresh      ${describeFreshness(freshness)}`,
    `  module     ${printable(moduleId)}`,
    ...(instanceId === null ? [] : [`  instance   ${instanceId}, as PCR4 confirms`]),
    `  signed     ${isoTime(timestamp)}`,
    `  valid      until ${isoTime(validUntil)}`,
    ...pcrLines(reports, debug),
    ...fieldLines(document, bound),
  ].join('\n');
}

function isAskedFor({ nonce, maxAgeMs }: Freshness): boolean {
  return nonce || maxAgeMs !== null;
}

function describeFreshness(freshness: Freshness): string {
  if (!isAskedFor(freshness))
    return 'not asked for: it may be an old document, shown again (--nonce, --max-age)';
  return [
    ...(freshness.nonce ? ['it carries the nonce'] : []),
    ...(freshness.maxAgeMs === null ? [] : [`at most ${freshness.maxAgeMs / 1000} s old`]),
  ].join(', ');
}

/** Renders the root of a verdict: its name alone proves nothing. */
export function trustAnchorLines({ name, sha256, isAws }: TrustAnchor, width = 11): string[] {
  return [
    `  ${'root'.padEnd(width - 1)} ${isAws ? "AWS's, G1" : "NOT AWS's"}: ${printable(name)}`,
    `  ${''.padEnd(width - 1)} SHA-256 ${sha256}`,
  ];
}

function pcrLines(reports: readonly PcrReport[], debug: boolean): string[] {
  const shown = reports.filter(({ state }) => state !== 'unused');
  return shown.map(({ index, meaning, actual, state }) => {
    const word = state === 'differs' && debug ? 'not compared' : state === 'set' ? 'not in pcr.json' : state;
    return `  PCR${String(index).padEnd(7)} ${actual?.slice(0, 16)}…  ${word.padEnd(15)}  ${meaning}`;
  });
}

function fieldLines(
  fields: Pick<VerifiedDocument, 'nonce' | 'userData' | 'publicKey'>,
  bound: readonly string[],
): string[] {
  const rows = [
    ['nonce', fields.nonce],
    ['user data', fields.userData],
    ['public key', fields.publicKey],
  ] as const;
  return rows.flatMap(([name, value]) => {
    if (value === null) return [];
    const hex = Buffer.from(value).toString('hex');
    const shown = hex.length > 64 ? `${hex.slice(0, 64)}… (${value.length} bytes)` : hex;
    return [
      `  ${name.padEnd(10)} ${shown === '' ? 'empty' : shown}${bound.includes(name) ? ', as asked for' : ''}`,
    ];
  });
}

/** Renders an unverified document as `--json` gives it. */
export function inspectedAsData({
  message,
  payload,
  certificates,
}: UnverifiedDocument): Record<string, unknown> {
  const { kind, moduleId, digest, timestamp, pcrs, nonce, userData, publicKey } = payload;
  return {
    verified: false,
    warning: NOTHING_VERIFIED,
    kind,
    moduleId,
    digest,
    timestamp: timeOrNumber(timestamp),
    pcrs,
    nonce,
    userData,
    publicKey,
    protectedHeader: message.protectedHeader,
    signature: message.signature,
    certificates: certificates.map((certificate) =>
      certificate instanceof AttestationError
        ? { error: { code: certificate.code, message: certificate.message } }
        : certificateAsData(certificate),
    ),
  };
}

const NOTHING_VERIFIED = 'nothing was verified: anybody could have written this';

export function inspectedAsText(document: UnverifiedDocument): string {
  const { kind, moduleId, digest, timestamp, pcrs } = document.payload;
  return [
    `NOT VERIFIED: ${NOTHING_VERIFIED}`,
    `  kind       ${kind}`,
    `  module     ${printable(moduleId)}`,
    `  digest     ${printable(digest)}`,
    `  signed     ${timeOrNumber(timestamp)}`,
    ...[...pcrs].map(([index, value]) => `  PCR${String(index).padEnd(7)} ${describeValue(value)}`),
    ...fieldLines(document.payload, []),
    '  certificates, the root first:',
    ...document.certificates.map((certificate) => `    ${describeCertificate(certificate)}`),
  ].join('\n');
}

function describeValue(value: Uint8Array): string {
  return value.every((byte) => byte === 0) ? 'zero' : Buffer.from(value).toString('hex');
}

function describeCertificate(certificate: Certificate | AttestationError): string {
  if (certificate instanceof AttestationError)
    return `${certificate.code}: ${printable(certificate.message)}`;
  const { subject, notBefore, notAfter } = certificate;
  return `${isoTime(notBefore)} to ${isoTime(notAfter)}  ${printable(describeName(subject))}`;
}

function certificateAsData({
  subject,
  issuer,
  serial,
  notBefore,
  notAfter,
}: Certificate): Record<string, unknown> {
  return {
    subject: describeName(subject),
    issuer: describeName(issuer),
    serial,
    notBefore: isoTime(notBefore),
    notAfter: isoTime(notAfter),
  };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Renders an unverified time, which need not be a date. */
function timeOrNumber(milliseconds: number): string {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? String(milliseconds) : time.toISOString();
}
