import { describe, expect, it } from 'vitest';
import { CantonError, MAX_DESCRIPTION_BYTES, parseDescription } from '../../../admin/canton/index.ts';
import {
  makeAwsValidator,
  makeCantonDescription,
  makeDoorValidator,
  makePlainValidator,
} from './sample-description.ts';

type Fields = Record<string, unknown>;

/** The refusal of a text: its code, and its details. */
function refusalOf(text: string | Uint8Array): { code: string; details: Fields } {
  try {
    parseDescription(typeof text === 'string' ? Buffer.from(text) : text);
  } catch (error) {
    expect(error).toBeInstanceOf(CantonError);
    const { code, details } = error as CantonError;
    return { code, details };
  }
  return { code: 'TAKEN', details: {} };
}

const withValidators = (...validators: Fields[]) =>
  JSON.stringify({ ...makeCantonDescription(), validators });
const codeWith = (...validators: Fields[]) => refusalOf(withValidators(...validators)).code;

describe('a description of validators', () => {
  it('is taken, with the environment’s toggle as a default', () => {
    const { validators } = parseDescription(Buffer.from(JSON.stringify(makeCantonDescription())));
    expect(validators.map(({ name, kms, participant }) => [name, kms, participant])).toEqual([
      ['alpha', true, 'participant'],
      ['beta', true, 'participant1'],
      ['gamma', false, 'participant'],
    ]);
  });

  it.each([
    'https://x$(AWS_SECRET_ACCESS_KEY).example',
    'https://kms.exa\nmple',
    ' https://kms.example',
    'https://kms"example',
    'https:kms.example',
    String.raw`https:\\kms.example`,
    'https://kms.example:99999',
  ])('is refused where an endpoint is more than a host and a port: %j', (endpoint) => {
    const { provider } = makeAwsValidator();
    const validator = { ...makeAwsValidator(), provider: { ...(provider as Fields), endpoint } };
    expect(codeWith(validator)).toBe('CANTON_DESCRIPTION_MALFORMED');
  });

  it.each(['https://kms.example:8443/', 'https://[2001:db8::1]'])(
    'is taken with the endpoint %s',
    (endpoint) => {
      const { provider } = makeAwsValidator();
      const validator = { ...makeAwsValidator(), provider: { ...(provider as Fields), endpoint } };
      expect(codeWith(validator)).toBe('TAKEN');
    },
  );

  it('is refused with the path of a field that nobody knows', () => {
    const { code, details } = refusalOf(withValidators({ ...makeAwsValidator(), replica: 2 }));
    expect([code, details['fields']]).toEqual([
      'CANTON_DESCRIPTION_MALFORMED',
      ['validators.0.replica: unknown field'],
    ]);
  });

  it.each<[string, string | Uint8Array]>([
    ['no YAML', '{'],
    ['an anchor', 'format: &a holdfast-canton/1\nb: *a'],
    ['a field that stands twice', 'format: holdfast-canton/1\nformat: holdfast-canton/1'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['more than it may be', ' '.repeat(MAX_DESCRIPTION_BYTES + 1)],
    ['another format', JSON.stringify({ ...makeCantonDescription(), format: 'holdfast-canton/2' })],
    ['no validators', withValidators()],
    ['an alias for a key', withValidators({ ...makeAwsValidator(), keys: { signing: { id: 'alias/x' } } })],
  ])('is refused as malformed with %s', (_, text) => {
    expect(refusalOf(text).code).toBe('CANTON_DESCRIPTION_MALFORMED');
  });

  it('is refused where KMS is on without a ServiceAccount, by itself or by the environment', () => {
    const { serviceAccount: _, ...bare } = makeAwsValidator();
    const { code, details } = refusalOf(withValidators(makeDoorValidator(), bare));
    expect([code, details['validators']]).toEqual(['CANTON_SERVICE_ACCOUNT_MISSING', ['beta']]);
    expect(codeWith({ ...bare, kms: true })).toBe('CANTON_SERVICE_ACCOUNT_MISSING');
    expect(codeWith({ ...bare, kms: false })).toBe('TAKEN');
  });

  it.each<[string, Fields[]]>([
    ['two validators of one name', [makePlainValidator(), { ...makePlainValidator(), namespace: 'other' }]],
    ['one workload for two', [makePlainValidator(), { ...makePlainValidator(), name: 'delta' }]],
    ['a Canton participant without a name', [{ ...makeAwsValidator(), participant: undefined }]],
    ['a Splice validator with another name', [{ ...makeDoorValidator(), participant: 'participant1' }]],
    ['a fourth key for Splice', [{ ...makeDoorValidator(), keys: { 'sequencer-auth': { id: 'x' } } }]],
    ['a root key to be rotated', [{ ...makeAwsValidator(), rotateTo: { namespace: { id: 'x' } } }]],
    ['KMS on and nowhere to find it', [{ ...makeAwsValidator(), provider: undefined }]],
    ['a door without credentials', [{ ...makeDoorValidator(), credentials: undefined }]],
    [
      'a role for a door',
      [
        {
          ...makeDoorValidator(),
          serviceAccount: { name: 'a', roleArn: 'arn:aws:iam::111122223333:role/a' },
        },
      ],
    ],
    ['neither role nor credentials', [{ ...makeAwsValidator(), serviceAccount: { name: 'a' } }]],
    ['both of them', [{ ...makeAwsValidator(), credentials: { secret: 'a' } }]],
    [
      'an image attested by a door that is not there',
      [{ ...makeAwsValidator(), image: { reference: 'a', attested: 'gateway' } }],
    ],
    ['a wrapper key without envelope', [{ ...makeAwsValidator(), wrapperKey: { id: 'x' } }]],
    [
      'keys in KMS with envelope',
      [{ ...makeAwsValidator(), mode: 'envelope', keys: { signing: { id: 'x' } } }],
    ],
    [
      'a migration to envelope without its mode',
      [{ ...makeAwsValidator(), keysNow: 'database', migration: 'envelope' }],
    ],
    ['keys in KMS without ids', [{ ...makeAwsValidator(), keysNow: 'kms' }]],
    ['a rotation of keys in the database', [{ ...makeAwsValidator(), rotateTo: { signing: { id: 'x' } } }]],
    [
      'a trust store for nothing',
      [{ ...makeAwsValidator(), trustStore: { secret: 'a', entry: 'a.p12', type: 'PKCS12' } }],
    ],
  ])('is refused as contradictory with %s', (_, validators) => {
    expect(codeWith(...validators)).toBe('CANTON_DESCRIPTION_CONTRADICTORY');
  });
});
