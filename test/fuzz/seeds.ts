/** Inputs for the fuzzer to start from: the project's own vectors and, where they are, genuine ones. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttestationError, unsafeParseAttestationDocument } from '../../attestation/index.ts';
import { sampleSections, SIGNATURE, writeImage } from '../attestation/eif/raw-image.ts';
import { allowNode, policyText } from '../attestation/key-policy/policies.ts';
import { encryptForRecipient } from '../support/cms.ts';
import { walkSections } from './sections.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const VECTORS = join(ROOT, 'test/vectors');
const GENUINE = join(ROOT, '../shared');

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The files of a folder whose names end so; none where there is no such folder. */
function readFolder(folder: string, ending: string): Uint8Array[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => new Uint8Array(readFileSync(join(folder, name))));
}

export function readDocuments(): Uint8Array[] {
  const vectors = readFolder(join(VECTORS, 'attestation'), '.json')
    .map((bytes) => (JSON.parse(Buffer.from(bytes).toString()) as { document?: string }).document)
    .filter((document) => document !== undefined)
    .map((document) => new Uint8Array(Buffer.from(document, 'base64')));
  return [...vectors, ...readFolder(join(GENUINE, 'attestation-documents'), '.cbor')];
}

/** Out of all documents, each once. */
export function readCertificates(): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (const document of readDocuments()) {
    try {
      const { payload } = unsafeParseAttestationDocument(document);
      for (const der of [payload.certificate, ...payload.cabundle]) {
        found.set(Buffer.from(der).toString('base64'), der.slice());
      }
    } catch (error) {
      if (!(error instanceof AttestationError)) throw error;
    }
  }
  return [...found.values()];
}

export function readImages(): Uint8Array[] {
  return [writeImage({ sections: sampleSections() }), ...readFolder(join(VECTORS, 'eif'), '.eif')];
}

export function readSignatureSections(): Uint8Array[] {
  return readImages().flatMap((image) =>
    [...walkSections(image)].filter(({ type }) => type === SIGNATURE).map(({ content }) => content),
  );
}

export function readEnvelopes(): Uint8Array[] {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const made = (['definite', 'indefinite'] as const).map((shape) =>
    encryptForRecipient(spki, bytesOf('a secret'), { shape }),
  );
  return [...made, ...readFolder(join(GENUINE, 'cms'), '.ber')];
}

export function samplePolicies(): Uint8Array[] {
  return [
    policyText(allowNode()),
    policyText({
      Effect: 'Deny',
      NotPrincipal: { AWS: 'arn:aws:iam::111122223333:role/node' },
      NotAction: ['kms:De*', 'kms:Generate?ata*'],
      Resource: '*',
      Condition: {
        'ForAnyValue:StringNotEqualsIgnoreCaseIfExists': { 'aws:PrincipalArn': ['a*', 'b?'] },
        NumericLessThan: { 'kms:RecipientAttestation:PCR0': '12' },
        IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::/32'] },
        DateGreaterThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' },
        Null: { 'kms:EncryptionContext:node': 'true' },
      },
    }),
  ].map(bytesOf);
}

export function sampleManifests(): Uint8Array[] {
  const manifest = {
    format: 'holdfast-manifest/1',
    namespace: 'treasury',
    environment: 'test',
    node: 1,
    quorum: { size: 3, threshold: 2 },
    kms: {
      keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      region: 'eu-central-1',
    },
    configurationAuthority: { threshold: 1, keys: ['11'.repeat(32)] },
    emergencyRecovery: { publicKey: '22'.repeat(32) },
  };
  return [bytesOf(JSON.stringify(manifest))];
}

export function sampleConfigurations(): Uint8Array[] {
  const configuration = {
    format: 'holdfast-configuration/1',
    version: 1,
    manifest: '33'.repeat(48),
    clients: [{ id: 'backend', publicKey: '44'.repeat(32) }],
    keys: [{ id: 'hot', type: 'ed25519' }],
    rules: [
      {
        id: 'pay',
        operations: ['sign'],
        clients: ['backend'],
        keys: ['hot'],
        algorithms: ['ed25519'],
        payloads: ['message'],
        rate: { count: 10, seconds: 60 },
      },
    ],
  };
  return [bytesOf(JSON.stringify(configuration))];
}
