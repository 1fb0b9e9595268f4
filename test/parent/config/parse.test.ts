import { describe, expect, test } from 'vitest';
import { createPeersOptions } from '../../../parent/config/build.ts';
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

/** A way by NATS that is in order. */
const NATS =
  '{servers: ["tls://n.example:4222"], namespace: acme, environment: production, ca: /a, certificate: /b, key: /c}';

describe('the parent’s configuration', () => {
  test('says how the parents of other nodes are reached', () => {
    const nodes =
      'nodes: [{node: 2, address: "node-2.example:7443"}, {node: 3, address: "[fd00::3]:1", name: c}]';
    const direct = parseParentConfig(`${GOOD}\npeers: {node: 1, listen: "0.0.0.0:7443", ${nodes}}`);
    expect(createPeersOptions(direct.peers as NonNullable<typeof direct.peers>)).toEqual({
      node: 1,
      listen: { host: '0.0.0.0', port: 7_443 },
      nodes: [
        { node: 2, address: { host: 'node-2.example', port: 7_443 } },
        { node: 3, address: { host: 'fd00::3', port: 1 }, name: 'c' },
      ],
    });
    const nats = parseParentConfig(`${GOOD}\npeers: {node: 1, nodes: [{node: 2}], nats: ${NATS}}`);
    expect(createPeersOptions(nats.peers as NonNullable<typeof nats.peers>)).toEqual({
      node: 1,
      nodes: [{ node: 2 }],
      nats: {
        servers: ['tls://n.example:4222'],
        namespace: 'acme',
        environment: 'production',
        tls: { ca: '/a', certificate: '/b', key: '/c' },
        replicas: 3,
        maxAgeSeconds: 300,
        maxBytes: 67_108_864,
      },
    });
  });

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
    ...(
      [
        ['peers without a node', '{nodes: [{node: 2, address: "a:1"}]}'],
        ['peers without nodes', '{node: 1, nodes: []}'],
        ['itself among its peers', '{node: 1, nodes: [{node: 1, address: "a:1"}]}'],
        ['a peer twice', '{node: 1, nodes: [{node: 2, address: "a:1"}, {node: 2, address: "a:2"}]}'],
        ['a peer that nobody dials, and no address to listen on', '{node: 1, nodes: [{node: 2}]}'],
        ['a peer of number 256', '{node: 1, nodes: [{node: 256, address: "a:1"}]}'],
        ['a peer without a port', '{node: 1, nodes: [{node: 2, address: a}]}'],
        ['a peer at port 0', '{node: 1, nodes: [{node: 2, address: "a:0"}]}'],
        ['a peer at a port out of range', '{node: 1, nodes: [{node: 2, address: "a:65979"}]}'],
        ['a peer at a URL', '{node: 1, nodes: [{node: 2, address: "tcp://a:1"}]}'],
        [
          'tls without a key',
          '{node: 1, nodes: [{node: 2, address: "a:1"}], tls: {ca: /a, certificate: /b}}',
        ],
        [
          'tls and a peer without a name',
          '{node: 1, listen: "0.0.0.0:1", nodes: [{node: 2}], tls: {ca: /a, certificate: /b, key: /c}}',
        ],
        ['nats and addresses', `{node: 1, nodes: [{node: 2, address: "a:1"}], nats: ${NATS}}`],
        ['nats and a port', `{node: 1, listen: "0.0.0.0:1", nodes: [{node: 2}], nats: ${NATS}}`],
        ['nats without TLS', `{node: 1, nodes: [{node: 2}], nats: ${NATS.replace('tls:', 'nats:')}}`],
        [
          'nats with a password in the URL',
          `{node: 1, nodes: [{node: 2}], nats: ${NATS.replace('//', '//u:p@')}}`,
        ],
        [
          'nats at an address',
          `{node: 1, nodes: [{node: 2}], nats: ${NATS.replace('n.example', '10.0.0.1')}}`,
        ],
        [
          'a namespace that is no label',
          `{node: 1, nodes: [{node: 2}], nats: ${NATS.replace('acme', '"a.*"')}}`,
        ],
        ['two replicas', `{node: 1, nodes: [{node: 2}], nats: ${NATS.replace('{', '{replicas: 2, ')}}`],
      ] as const
    ).map(([name, peers]) => [name, `${GOOD}\npeers: ${peers}`] as [string, string]),
    ['too much', `${GOOD}# ${'x'.repeat(300_000)}`],
  ])('is refused with %s', (_name, text) => {
    expect(() => parseParentConfig(text)).toThrow(ParentOptionError);
  });
});
