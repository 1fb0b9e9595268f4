import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { GatewayError, gatewayFields, parseGatewayConfig } from '../../../client/gateway/index.ts';
import { kmsSectionSchema } from '../../../client/gateway/kms/config.ts';

const schema = z.strictObject({ ...gatewayFields, kms: kmsSectionSchema.optional() });
const good = {
  nodes: ['holdfast.yaml'],
  clients: [{ id: 'canton', key: { file: 'canton.pem' } }],
  kms: {
    listen: { port: 8470 },
    region: 'eu-central-1',
    account: '111122223333',
    credentials: [
      {
        accessKeyId: 'HFAK0000000000000001',
        secretAccessKey: { env: 'SECRET' },
        client: 'canton',
        pool: 'canton',
      },
    ],
  },
};
/** The good configuration with a value at a path. */
function withValue(path: string, value: unknown): unknown {
  const config = structuredClone(good) as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() ?? '';
  let place = config;
  for (const name of names) place = (place[name] ??= {}) as Record<string, unknown>;
  place[last] = value;
  return config;
}
function problemsOf(config: unknown): readonly string[] {
  try {
    parseGatewayConfig(schema, config);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ code: 'GATEWAY_CONFIG_MALFORMED' });
    return (error as GatewayError).details['fields'] as readonly string[];
  }
}

describe('the configuration of a door', () => {
  it('is taken with what it leaves out', () => {
    expect(parseGatewayConfig(schema, good)).toMatchObject({
      log: { format: 'json', payloads: false },
      timeoutSeconds: 10,
      drainSeconds: 15,
    });
  });

  it.each([
    ['secretKey', 'hunter2'],
    ['log.payload', true],
    ['kms.listen.adress', '0.0.0.0'],
    ['kms.credentials.0.secret', 'hunter2'],
    ['kms.credentials.0.secretAccessKey.value', 'hunter2'],
    ['clients.0.key.pem', 'hunter2'],
    ['tezos', {}],
  ])('refuses %s, which it does not know, by name and without its value', (path, value) => {
    const problems = problemsOf(withValue(path, value));
    expect(problems).toEqual([`${path}: unknown field`]);
  });

  it.each([
    ['nodes', []],
    ['nodes', undefined],
    ['clients', []],
    ['clients.1', { id: 'canton', key: { env: 'OTHER' } }],
    ['clients.0.id', 'Canton'],
    ['clients.0.key', {}],
    ['clients.0.key', { file: 'a', env: 'B' }],
    ['kms.listen', {}],
    ['kms.listen', { port: 1, unix: 'a' }],
    ['kms.listen', { unix: 'a', tls: { certificate: 'c', key: { file: 'k' } } }],
    ['kms.listen.port', 65_536],
    ['kms.listen.port', '8470'],
    ['kms.region', 'Frankfurt'],
    ['kms.account', 111_122_223_333],
    ['kms.credentials', []],
    ['kms.credentials.1', good.kms.credentials[0]],
    ['kms.credentials.0.secretAccessKey', 'hunter2'],
    ['kms.credentials.0.accessKeyId', 'short'],
    ['timeoutSeconds', 0],
    ['log.format', 'xml'],
  ])('refuses %s as %j, and does not repeat the value', (path, value) => {
    const problems = problemsOf(withValue(path, value));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${path.split('.').slice(0, 1).join('\\.')}`));
    expect(problems[0]).not.toContain('hunter2');
  });

  it('refuses a file that is no set of fields', () => {
    for (const value of [null, [], 'text', 7]) expect(problemsOf(value)[0]).toMatch(/^the file: /);
  });
});
