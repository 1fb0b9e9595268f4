import {
  AttestationError,
  describeName,
  describeTrustAnchor,
  reportPcrs,
  unsafeParseAttestationDocument,
  type AttestationErrorDetails,
  type Certificate,
  type PcrReport,
  type PcrValues,
  type UnverifiedDocument,
  type VerifiedDocument,
  type VerifyOptions,
} from '../attestation/browser.ts';
import { byId, element, hex, table } from './dom.ts';
import { explain } from './explanations.ts';

/** Shows that a document verified, why, and on which root the verdict rests. */
export function showVerified(
  document: VerifiedDocument,
  expected: PcrValues,
  asked: Pick<VerifyOptions, 'nonce' | 'maxAgeMs'>,
): void {
  const { debug, moduleId, instanceId, timestamp, verifiedAt, validUntil } = document;
  const root = describeTrustAnchor(document);
  const signed = root.isAws
    ? 'AWS signed this document'
    : "The holder of the root that you chose signed this document, which is not AWS's";
  const summary = debug
    ? `${signed}; but the enclave is in debug mode: whoever runs it can read its memory. It proves nothing.`
    : `${signed}; and the enclave runs the image of your pcr.json.`;
  present(debug ? 'refused' : 'verified', debug ? 'Signed, but in debug mode' : 'Verified', [
    element('p', {}, summary),
    facts([
      ['Root', `${root.isAws ? "AWS's own, G1" : "NOT AWS's"}: ${root.name}`],
      ['Its SHA-256', root.sha256],
      ['Freshness', describeFreshness(asked)],
      ['Enclave', moduleId],
      ['Instance', instanceId === null ? 'not measured' : `${instanceId}, as PCR4 confirms`],
      ['Signed', describeTime(timestamp)],
      ['Checked for', describeTime(verifiedAt)],
      ['Valid until', describeTime(validUntil)],
    ]),
  ]);
  report('What it says, as verified', document, document.certificates, expected, verifiedAt, {});
}

function describeFreshness({ nonce, maxAgeMs }: Pick<VerifyOptions, 'nonce' | 'maxAgeMs'>): string {
  if (nonce === undefined && maxAgeMs === undefined)
    return 'not asked for: this may be an old document, shown again';
  return [
    ...(nonce === undefined ? [] : ['it carries the nonce that you entered']),
    ...(maxAgeMs === undefined ? [] : [`it is at most ${maxAgeMs / 1000} s old`]),
  ].join(', and ');
}

/** Shows that a document is refused and why, and its unverified claims where it can be parsed. */
export function showRefused(error: AttestationError, document: Uint8Array, expected: PcrValues): void {
  present('refused', 'Refused', describeError(error));
  const parsed = tryParse(document);
  if (parsed === undefined) return;
  const { payload, certificates } = parsed;
  report('What it claims: not verified', payload, certificates, expected, undefined, error.details);
}

/** Shows that a file cannot be read, which is no verdict on the document. */
export function showUnreadable(error: AttestationError): void {
  present('none', 'Cannot be read', describeError(error));
}

function describeError({ code, message, details }: AttestationError): readonly Node[] {
  const { field, index, expected, actual } = details;
  const place = field === undefined ? '' : index === undefined ? field : `${field}[${index}]`;
  return [
    element('p', {}, explain(code)),
    facts([
      ['Code', code],
      ['Where', place],
      ['Expected', expected],
      ['Found', actual],
      ['In detail', message],
    ]),
  ];
}

/** Shows what is missing before a document can be verified. */
export function showMistake(message: string): void {
  present('none', 'Not verified yet', [element('p', {}, message)]);
  byId('report', HTMLElement).replaceChildren();
}

function present(verdict: 'verified' | 'refused' | 'none', title: string, content: readonly Node[]): void {
  const section = byId('verdict', HTMLElement);
  section.dataset['verdict'] = verdict;
  section.replaceChildren(element('h2', {}, title), ...content);
  byId('report', HTMLElement).replaceChildren();
}

function tryParse(document: Uint8Array): UnverifiedDocument | undefined {
  try {
    return unsafeParseAttestationDocument(document);
  } catch (error) {
    if (error instanceof AttestationError) return undefined;
    throw error;
  }
}

type Fields = Pick<VerifiedDocument, 'kind' | 'pcrs' | 'nonce' | 'userData' | 'publicKey'>;

function report(
  title: string,
  fields: Fields,
  certificates: readonly (Certificate | AttestationError)[],
  expected: PcrValues,
  at: number | undefined,
  culprit: AttestationErrorDetails,
): void {
  const isLast = (index: number): boolean => index === certificates.length - 1;
  byId('report', HTMLElement).replaceChildren(
    element('h2', {}, title),
    element('h3', {}, 'Measurements'),
    table(
      'Measurements',
      ['PCR', 'measures', 'compared', 'in the document', 'in pcr.json'],
      reportPcrs(fields.pcrs, expected, fields.kind)
        .filter(({ state }) => state !== 'unused')
        .map((pcr) => pcrRow(pcr, culprit, at !== undefined)),
    ),
    element('h3', {}, 'Bound to it'),
    facts([
      ['Nonce', describeBytes(fields.nonce)],
      ['User data', describeBytes(fields.userData)],
      ['Public key', describeBytes(fields.publicKey)],
    ]),
    element('h3', {}, 'Certificates, from the root to the enclave'),
    table(
      'Certificates, from the root to the enclave',
      ['of', 'valid from', 'valid until', at === undefined ? 'signature' : 'then'],
      certificates.map((certificate, index) => {
        const isCulprit = isLast(index)
          ? culprit.field === 'certificate'
          : culprit.field === 'cabundle' && culprit.index === index;
        return certificateRow(certificate, at, isCulprit);
      }),
    ),
  );
}

const STATES: Readonly<Record<PcrReport['state'], string>> = {
  matches: '✓ matches',
  differs: '✗ differs',
  unused: 'unused',
  set: 'not in pcr.json',
};

function pcrRow(
  { index, meaning, actual, expected, state }: PcrReport,
  culprit: AttestationErrorDetails,
  verified: boolean,
): HTMLTableRowElement {
  const isCulprit = culprit.index === index && (culprit.field === 'pcrs' || culprit.field === `PCR${index}`);
  // An unverified claim may match the expectation: it gets no tick.
  const isGood = state === 'matches' && verified;
  const style = state === 'differs' ? 'bad' : isGood ? 'good' : 'quiet';
  const word = state === 'matches' && !verified ? 'claims the same' : STATES[state];
  return element(
    'tr',
    isCulprit ? { 'aria-current': 'true' } : {},
    element('th', { scope: 'row' }, `PCR${index}`),
    element('td', {}, meaning),
    element('td', { class: style }, word),
    element('td', {}, element('code', {}, actual ?? 'absent')),
    element('td', {}, element('code', {}, expected ?? '')),
  );
}

function certificateRow(
  certificate: Certificate | AttestationError,
  at: number | undefined,
  isCulprit: boolean,
): HTMLTableRowElement {
  const attributes: Record<string, string> = isCulprit ? { 'aria-current': 'true' } : {};
  if (certificate instanceof AttestationError) {
    return element('tr', attributes, element('td', { colspan: '4', class: 'bad' }, certificate.message));
  }
  const { subject, notBefore, notAfter } = certificate;
  return element(
    'tr',
    attributes,
    element('th', { scope: 'row' }, describeName(subject)),
    element('td', {}, describeTime(notBefore)),
    element('td', {}, describeTime(notAfter)),
    at === undefined
      ? element('td', { class: isCulprit ? 'bad' : 'quiet' }, isCulprit ? '✗ refused' : 'not verified')
      : element('td', { class: 'good' }, '✓ valid and signed'),
  );
}

function facts(
  rows: readonly (readonly [name: string, value: string | number | null | undefined])[],
): HTMLElement {
  const list = element('dl');
  for (const [name, value] of rows) {
    if (value === undefined || value === null || value === '') continue;
    list.append(element('dt', {}, name), element('dd', {}, String(value)));
  }
  return list;
}

function describeBytes(bytes: Uint8Array | null): string {
  if (bytes === null) return 'none';
  if (bytes.length === 0) return 'empty';
  const text = new TextDecoder('latin1').decode(bytes);
  const quoted = /^[\x20-\x7e]+$/.test(text) ? ` (“${text}”)` : '';
  return `${bytes.length} bytes: ${hex(bytes)}${quoted}`;
}

/** Formats a time in UTC, to the second; a number that is no date, as in an unverified document, stays a number. */
function describeTime(milliseconds: number): string {
  const time = new Date(milliseconds);
  if (Number.isNaN(time.getTime())) return String(milliseconds);
  return `${time
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '')} UTC`;
}
