import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkDescription,
  parseDescription,
  parseObjects,
  renderDescription,
} from '../../../admin/canton/index.ts';
import { makeObjects } from './cluster.ts';

const parseFields = (fields: unknown) => parseDescription(Buffer.from(JSON.stringify(fields)));

const purpose = fc.constantFrom('namespace', 'signing', 'encryption');
const backoff = fc.record({
  initialDelay: fc.constantFrom('100ms', '1s'),
  maxDelay: fc.constantFrom('10s', '1m'),
  maxRetries: fc.nat(2_147_483_647),
});
const provider = fc.oneof(
  fc.record({ type: fc.constant('aws'), multiRegion: fc.boolean() }),
  fc.constant({ type: 'aws', endpoint: 'https://vpce-1.kms.example.com' }),
  fc.record({
    type: fc.constant('door'),
    sidecar: fc.record({
      image: fc.constant(`door@sha256:${'d0'.repeat(32)}`),
      secret: fc.constant('door'),
      port: fc.integer({ min: 1024, max: 65_535 }),
    }),
  }),
  fc.constant({ type: 'door', endpoint: 'https://door.internal:8443' }),
);
/** Fields of a validator that contradict nothing. */
const validator = fc
  .record({
    kind: fc.constantFrom('splice', 'canton'),
    kms: fc.boolean(),
    provider,
    isEnvelope: fc.boolean(),
    keys: fc.uniqueArray(purpose),
    session: fc.boolean(),
    mayDeleteKeys: fc.boolean(),
    retries: fc.record({ failures: backoff, createKeyCheck: backoff }, { requiredKeys: [] }),
    region: fc.constantFrom('eu-central-1', 'us-gov-west-1', 'cn-north-1'),
    hasRole: fc.boolean(),
  })
  .map(
    ({ kind, kms, provider, isEnvelope, keys, session, mayDeleteKeys, retries, region, hasRole }) =>
      (index: number) => {
        const isDoor = provider.type === 'door';
        const isPrivate = isDoor && 'endpoint' in provider;
        const isRole = !isDoor && hasRole;
        return {
          name: `v${index}`,
          namespace: `n${index}`,
          kind,
          kms,
          ...(kind === 'canton' ? { participant: `p-${index}` } : {}),
          provider: { region, account: String(111_122_223_300 + index), ...provider },
          serviceAccount: isRole
            ? { name: 'sa', roleArn: 'arn:aws:iam::111122223333:role/a' }
            : { name: 'sa' },
          ...(isRole ? {} : { credentials: { secret: 'aws' } }),
          mode: isEnvelope ? 'envelope' : 'keys',
          keys: isEnvelope ? {} : Object.fromEntries(keys.map((each) => [each, { id: `${each}-${index}` }])),
          sessionSigningKeys: session,
          mayDeleteKeys,
          retries,
          image: {
            reference: `canton@sha256:${'c0'.repeat(32)}`,
            attested: isDoor ? 'gateway' : { pcrs: { 0: 'ab'.repeat(48) } },
          },
          ...(isPrivate ? { trustStore: { secret: 'trust', entry: 'ca.p12', type: 'PKCS12' } } : {}),
        };
      },
  );

describe('any description', () => {
  it('renders to the same bytes twice, and to what a check finds nothing in but notes', () => {
    const seed = process.env['HOLDFAST_SEED'] === 'random' ? Date.now() : 20_261_129;
    const environment = { name: 'drawn', production: true, kms: true };
    fc.assert(
      fc.property(fc.array(validator, { minLength: 1, maxLength: 4 }), (makers) => {
        const fields = {
          format: 'holdfast-canton/1',
          environment,
          validators: makers.map((make, index) => make(index)),
        };
        const description = parseFields(fields);
        expect(renderDescription(description)).toEqual(
          renderDescription(parseFields(structuredClone(fields))),
        );
        const objects = parseObjects(Buffer.from(JSON.stringify(makeObjects(description))));
        const found = checkDescription(description, objects, new Map());
        expect(found.filter(({ severity }) => severity !== 'note')).toEqual([]);
      }),
      { seed, numRuns: 100 },
    );
  });
});
