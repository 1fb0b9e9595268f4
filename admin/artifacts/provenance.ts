import * as z from 'zod';
import { JsonError, type JsonValue, parseJson } from '../../shared/json/index.ts';
import { verifyEnvelopeBundle } from './bundle.ts';
import { ReleaseError } from './errors.ts';
import { artifactOf, ARTIFACTS, type ReleaseIndex } from './release-index.ts';
import type { ReleaseKey } from './release-key.ts';

export const STATEMENT_PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const PROVENANCE_PREDICATE = 'https://slsa.dev/provenance/v1';

/** In-toto statement as far as it is read: who else reads it knows the rest. */
const statementSchema = z.strictObject({
  _type: z.enum(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']),
  subject: z
    .array(
      z.looseObject({
        name: z.string().optional(),
        digest: z.record(z.string(), z.string()),
      }),
    )
    .length(1),
  predicateType: z.literal(PROVENANCE_PREDICATE),
  predicate: z.looseObject({
    buildDefinition: z.looseObject({
      externalParameters: z.looseObject({ measurements: z.record(z.string(), z.string()) }),
    }),
  }),
});

/**
 * Verifies that the provenance is of the release's image and names its measurements, and that the signed statement has the
 * same subject and predicate.
 *
 * @param statement bytes of provenance.json
 * @param bundle bytes of provenance.sigstore.json
 * @throws ReleaseError RELEASE_PROVENANCE_DIFFERS, and those of the bundle
 *
 * Source: in-toto Attestation Framework, "Statement"; SLSA v1.0, "Provenance".
 */
export function verifyProvenance(
  { index, statement, bundle }: { index: ReleaseIndex; statement: Uint8Array; bundle: Uint8Array },
  key: ReleaseKey,
): void {
  const own = readStatement(statement, 'provenance.json');
  const { payloadType, payload } = verifyEnvelopeBundle(bundle, key, ARTIFACTS.attestation.maxBytes);
  if (payloadType !== STATEMENT_PAYLOAD_TYPE) throw differs('payload type of the attestation', payloadType);
  const signed = readStatement(payload, 'provenance.sigstore.json');
  const image = artifactOf(index, 'image').sha256;
  for (const { subject } of [own, signed]) {
    if (subject[0]?.digest['sha256'] !== image) throw differs('subject', subject[0]?.digest['sha256']);
  }
  const { measurements } = own.predicate.buildDefinition.externalParameters;
  if (canonical(measurements) !== canonical({ ...index.measurements }))
    throw differs('measurements', measurements);
  if (canonical(own.predicate) !== canonical(signed.predicate))
    throw differs('predicate', 'that of another build');
}

function readStatement(bytes: Uint8Array, file: string): z.infer<typeof statementSchema> {
  let value: JsonValue;
  try {
    value = parseJson(bytes, { maxBytes: ARTIFACTS.provenance.maxBytes, maxDepth: 32 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new ReleaseError(
      'RELEASE_PROVENANCE_DIFFERS',
      'the provenance is not JSON',
      { file, reason: error.code },
      error,
    );
  }
  const parsed = statementSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).slice(0, 20);
  throw new ReleaseError('RELEASE_PROVENANCE_DIFFERS', 'expected an in-toto statement with SLSA provenance', {
    file,
    fields,
  });
}

/** Text that is the same for values that differ in the order of members alone. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

function differs(what: string, actual: unknown): ReleaseError {
  return new ReleaseError(
    'RELEASE_PROVENANCE_DIFFERS',
    `the ${what} of the provenance is not of this release`,
    {
      actual,
    },
  );
}
