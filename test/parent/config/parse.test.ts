import { describe, expect, test } from 'vitest';
import { parseParentConfig } from '../../../parent/config/parse.ts';
import { ParentOptionError } from '../../../parent/common/errors.ts';

const GOOD = `
enclave: {cid: 16}
artifacts:
  manifest: /etc/holdfast/manifest.json
  configuration: s3://holdfast-config/node-1/configuration.json
  secrets: secretsmanager:holdfast/node-1/
  copies: /var/lib/holdfast/copies
store: {sqlite: /var/lib/holdfast/records.sqlite}
egress:
  allowlist:
    - {host: kms.eu-central-1.amazonaws.com, port: 443, networks: [10.0.0.0/16]}
  ports:
    - {listen: 8000, host: kms.eu-central-1.amazonaws.com, port: 443}
ingress: {listen: '[::]:443', proxyProtocol: true}
status: {listen: 127.0.0.1:9464}
`;

describe('the parent’s configuration', () => {
  test('says where everything is', () => {
    const config = parseParentConfig(GOOD);
    expect(config.artifacts).toEqual({
      manifest: { type: 'file', file: '/etc/holdfast/manifest.json' },
      configuration: { type: 's3', bucket: 'holdfast-config', key: 'node-1/configuration.json' },
      secrets: { type: 'secrets-manager', name: 'holdfast/node-1/' },
      copies: '/var/lib/holdfast/copies',
    });
    expect(config.ingress?.listen).toEqual({ host: '::', port: 443 });
    expect(config.transport).toBe('vsock');
    expect(config.enclave).toEqual({
      cid: 16,
      cpus: 2,
      memoryMiB: 1_024,
      debug: false,
      restartWhenSilent: false,
    });
  });

  test('may be JSON', () => {
    const config = parseParentConfig(
      JSON.stringify({
        enclave: { cid: 5 },
        artifacts: { manifest: '/m', configuration: '/c', secrets: '/s' },
        store: { postgres: { urlFile: '/run/credentials/url' }, node: 'node-1' },
        egress: {},
      }),
    );
    expect(config.store).toEqual({ postgres: { urlFile: '/run/credentials/url' }, node: 'node-1' });
    expect(config.egress.allowlist).toEqual([]);
  });

  test.each([
    ['no YAML', ': : :'],
    ['two documents', '---\na: 1\n---\nb: 2'],
    ['an alias bomb', `a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]`],
    ['an unknown field', `${GOOD}\nextra: 1`],
    ['a key twice', `${GOOD}\nenclave: {cid: 17}`],
    ['the CID of the host', GOOD.replace('cid: 16', 'cid: 2')],
    ['a CID as text', GOOD.replace('cid: 16', 'cid: "16"')],
    ['a relative path', GOOD.replace('/etc/holdfast/manifest.json', 'manifest.json')],
    ['a port out of range', GOOD.replace('port: 443, networks', 'port: 65979, networks')],
    ['a listening port out of range', GOOD.replace('[::]:443', '[::]:65979')],
    ['a name to listen on', GOOD.replace('127.0.0.1:9464', 'localhost:9464')],
    ['secrets from S3', GOOD.replace('secretsmanager:holdfast/node-1/', 's3://bucket/secrets')],
    ['two stores', GOOD.replace('{sqlite: /var', '{postgres: {url: postgres://x}, node: a, sqlite: /var')],
    ['too much', `${GOOD}# ${'x'.repeat(300_000)}`],
  ])('is refused with %s', (_name, text) => {
    expect(() => parseParentConfig(text)).toThrow(ParentOptionError);
  });
});
