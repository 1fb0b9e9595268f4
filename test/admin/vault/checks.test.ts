import { describe, expect, it } from 'vitest';
import {
  assertSound,
  checkVault,
  locateVault,
  renderVaultFile,
  VaultError,
} from '../../../admin/vault/index.ts';
import { CA_PEM, PARTS } from './sample-parts.ts';
import { encodeVault, makeSampleVault, parseSample, sampleKey, type SampleVault } from './sample-vault.ts';

const NOW = Date.parse('2026-12-01T00:00:00Z');
const check = (change?: (vault: SampleVault) => void) => checkVault(parseSample(change), NOW);
/** Codes of errors and warnings; what a rule permits is the configuration's own lint. */
const codesOf = (change?: (vault: SampleVault) => void) =>
  check(change)
    .filter(({ severity, code }) => severity !== 'note' && code !== 'CONFIGURATION_FINDING')
    .map(({ code, severity, path }) => `${severity} ${code} ${path}`);

const node = (vault: SampleVault, number: number) => {
  const found = vault.nodes[number - 1];
  if (found === undefined) throw new Error(`no node ${number}`);
  return found;
};
const rule = (vault: SampleVault) => {
  const [found] = vault.tenant.rules;
  if (found === undefined) throw new Error('no rule');
  return found;
};

/** Adds what docs/upgrade.md tells people to add for upgrades. */
function addUpgradeProof({ clients, tenant }: SampleVault): void {
  const id = 'upgrade-check';
  clients.push({ id, publicKey: sampleKey(id), person: null });
  tenant.keys.push({ id, type: 'frost-ed25519', networks: [] });
  tenant.rules.push({ ...tenant.rules[0], id, clients: [id], keys: [id] });
}
function pushTo(entry: Record<string, unknown> | undefined, member: string, value: string): void {
  if (entry !== undefined) entry[member] = [...(entry[member] as string[]), value];
}

describe('the check of a vault', () => {
  it('says of each open value who types which command to get it', () => {
    const open = locateVault(
      Buffer.from(
        renderVaultFile({
          namespace: 'acme',
          environment: 'production',
          region: 'eu-west-1',
          threshold: 2,
          release: { version: '1.0.0', from: './release' },
          infrastructure: {},
          nodes: [{}, {}, {}],
        }),
      ),
    );
    const advice = new Map(
      checkVault(open, NOW)
        .filter(({ code }) => code === 'VALUE_LEFT_OPEN')
        .map((finding) => [finding.path, finding.advice]),
    );
    for (const [path, command] of [
      ['infrastructure.account', 'holdfast vault join --role infrastructure '],
      ['infrastructure.network.vpcId', 'aws ec2 describe-vpcs --region eu-west-1 '],
      ['infrastructure.network.subnetId', 'aws ec2 describe-subnets --region eu-west-1 '],
      ['infrastructure.network.clientCidr', 'aws ec2 describe-subnets --region eu-west-1 '],
      ['infrastructure.network.peerCidr', 'aws ec2 describe-subnets --region eu-west-1 '],
      ['infrastructure.host.imageId', 'aws ssm get-parameter --region eu-west-1 '],
      ['nodes.2.statementKey', 'holdfast vault join --role node-3 '],
      ['nodes.2.configurationAuthority.keys.0', 'node-3.join.json then, as authorityKey'],
      ['nodes.2.recovery.publicKey', 'holdfast ers keygen'],
      ['clients.1.publicKey', 'holdfast vault key operations'],
    ] as const)
      expect([path, advice.get(path)]).toEqual([path, expect.stringContaining(command)]);
    for (const words of advice.values()) expect(words).toMatch(/"(?:holdfast|aws) /);
  });

  it('finds no proof of upgrades missing once the # is away where the template says upgrade-check', () => {
    const render = (uncomment: boolean) => {
      const text = renderVaultFile({
        namespace: 'acme',
        environment: 'production',
        region: 'eu-west-1',
        threshold: 2,
        release: { version: '1.0.0', from: './release' },
        infrastructure: {},
        nodes: [{}, {}, {}],
      });
      // What somebody does with an editor: "# " goes, where an entry for upgrades begins or goes on.
      const shown = text
        .replaceAll(/^( +)# (- \{ id: upgrade-check)/gm, '$1$2')
        .replaceAll(/^( +)# (    (?:algorithms|effects|nonce): )/gm, '$1$2')
        .replace(
          `id: upgrade-check, publicKey: "${'0'.repeat(64)}"`,
          `id: upgrade-check, publicKey: "${sampleKey('u')}"`,
        );
      return checkVault(locateVault(Buffer.from(uncomment ? shown : text)), NOW).map(({ code }) => code);
    };
    expect(render(false)).toContain('UPGRADE_PROOF_MISSING');
    expect(render(true)).not.toContain('UPGRADE_PROOF_MISSING');
    expect(render(true)).not.toContain('TENANT_MALFORMED');
  });

  it.each([
    [3, 2, 2, 0, true],
    [4, 3, 2, 0, false],
    [4, 3, 3, 0, true],
    [5, 3, 3, 600, true],
    [2, 2, 1, 0, false],
  ])(
    'of %i nodes, %i sign and %i cosign (maxUncosignedSeconds %i): bears less than the threshold is %s',
    (nodes, threshold, cosign, maxUncosignedSeconds, isFound) => {
      const accounts = Array.from({ length: nodes }, (_, index) => String(index + 1).repeat(12));
      const vault = makeSampleVault(
        (sample) => {
          sample.threshold = threshold;
          sample.parts['peerWitnesses'] = { threshold: cosign, maxUncosignedSeconds };
        },
        ['999999999999', ...accounts],
      );
      const found = checkVault(locateVault(encodeVault(vault)), NOW).filter(
        ({ code }) => code === 'PEER_WITNESSES_BEAR_LESS',
      );
      expect(found).toHaveLength(isFound ? 1 : 0);
      if (isFound)
        expect(found[0]).toMatchObject({ severity: 'warning', path: 'parts.peerWitnesses.threshold' });
      if (nodes === 3) expect(found[0]?.advice).toContain('4 nodes, of which 3 sign and 2 cosign');
    },
  );

  it.each([
    ['10.0.0.0/16', '10.0.3.0/24', true],
    ['10.0.3.0/24', '10.0.0.0/16', true],
    ['10.0.0.0/17', '10.0.128.0/17', false],
    ['10.0.0.9/31', '10.0.0.8/32', true],
    ['10.0.0.8/32', '10.0.0.10/31', false],
    ['128.0.0.0/8', '127.0.0.0/8', false],
    ['0.0.0.0/0', '10.0.0.0/16', true],
  ])('of clients in %s and hosts in %s: overlapping is %s', (clientCidr, peerCidr, isFound) => {
    const codes = codesOf((vault) => Object.assign(vault.infrastructure.network, { clientCidr, peerCidr }));
    expect(codes.includes('warning NETWORKS_OVERLAP infrastructure.network.peerCidr')).toBe(isFound);
  });

  it('asks for no networks apart where hosts do not reach each other', () => {
    const nats = { servers: ['tls://n:4222'], cidr: '10.8.0.0/24', ca: CA_PEM, replicas: 1 };
    const codes = (parts: Record<string, unknown>) =>
      codesOf((vault) => {
        Object.assign(vault.infrastructure.network, { clientCidr: '10.1.0.0/16' });
        vault.parts = parts;
      });
    expect(codes({}).join()).toContain('NETWORKS_OVERLAP');
    expect(codes({ nats }).join()).not.toContain('NETWORKS_OVERLAP');
  });

  it('warns of servers that could be anywhere', () => {
    const everywhere = (parts: Record<string, unknown>) =>
      codesOf((vault) => {
        vault.parts = parts;
      }).filter((finding) => finding.includes('SERVERS_ANYWHERE'));
    const { store, nats, witnesses } = PARTS;
    expect(everywhere({ store, nats })).toEqual([]);
    expect(everywhere({ store: { postgres: { ...store.postgres, cidr: '0.0.0.0/0' } } })).toHaveLength(1);
    expect(everywhere({ nats: { ...nats, cidr: '0.0.0.0/0' } })).toHaveLength(1);
    expect(everywhere({ witnesses: { ...witnesses, cidr: '0.0.0.0/0' } })).toHaveLength(1);
  });

  it('finds nothing in one that is in order', () => {
    // The sample has no client for the proof of upgrades.
    expect(codesOf()).toEqual(['warning UPGRADE_PROOF_MISSING clients']);
    expect(codesOf(addUpgradeProof)).toEqual([]);
  });

  it.each<[string, (vault: SampleVault) => void]>([
    ['is an owner', ({ tenant }) => tenant.owners.clients.push('upgrade-check')],
    ['may sign with a wallet key', ({ tenant }) => pushTo(tenant.rules.at(-1), 'keys', 'treasury')],
    ['shares its key with a wallet', ({ tenant }) => pushTo(tenant.rules[0], 'keys', 'upgrade-check')],
  ])('finds that nothing proves an upgrade where the client for it %s', (_, spoil) => {
    expect(
      codesOf((vault) => {
        addUpgradeProof(vault);
        spoil(vault);
      }),
    ).toContain('warning UPGRADE_PROOF_MISSING clients');
  });

  const CASES: readonly (readonly [string, (vault: SampleVault) => void, string])[] = [
    [
      "a node's account that is infrastructure's",
      (vault) => {
        node(vault, 2)['account'] = '444455556666';
        node(vault, 2).admins = ['arn:aws:iam::444455556666:role/x', 'arn:aws:iam::444455556666:role/y'];
      },
      'error NODE_IN_INFRASTRUCTURE_ACCOUNT nodes.1.account',
    ],
    [
      'two nodes in one account',
      (vault) => {
        node(vault, 3)['account'] = '222222222222';
        node(vault, 3).admins = ['arn:aws:iam::222222222222:role/x', 'arn:aws:iam::222222222222:role/y'];
      },
      'error NODES_IN_ONE_ACCOUNT nodes.2.account',
    ],
    [
      'one IAM role in two roles of the ceremony',
      (vault) => {
        node(vault, 1).admins.push('arn:aws:iam::222222222222:role/admin-of-2');
      },
      'error PERSON_IN_TWO_ROLES nodes.1.admins.0',
    ],
    [
      'the same IAM role written with a path or in another case',
      (vault) => {
        node(vault, 1).admins.push('arn:aws:iam::222222222222:role/people/ADMIN-of-2');
      },
      'error PERSON_IN_TWO_ROLES nodes.1.admins.0',
    ],
    [
      'an admin of another account',
      (vault) => {
        node(vault, 1).admins[1] = 'arn:aws:iam::999999999999:role/consultant';
      },
      'error ADMIN_OF_OTHER_ACCOUNT nodes.0.admins.1',
    ],
    [
      'an admin of another partition',
      (vault) => {
        node(vault, 1).admins[1] = 'arn:aws-cn:iam::111111111111:role/admin';
      },
      'error ADMIN_OF_OTHER_PARTITION nodes.0.admins.1',
    ],
    [
      'an admin who is a user with access keys',
      (vault) => {
        node(vault, 1).admins[1] = 'arn:aws:iam::111111111111:user/alice';
      },
      'warning ADMIN_IS_USER nodes.0.admins.1',
    ],
    [
      'one admin alone',
      (vault) => {
        node(vault, 3).admins.pop();
      },
      'warning ADMIN_ALONE nodes.2.admins',
    ],
    [
      'a Region that AWS does not have in this form',
      (vault) => {
        vault.region = 'eux-centre-1';
      },
      'error REGION_UNFIT region',
    ],
    [
      'a Region that no list has',
      (vault) => {
        vault.region = 'eu-central-9';
      },
      'warning REGION_UNKNOWN region',
    ],
    [
      "a node's Region that no list has",
      (vault) => {
        node(vault, 2)['region'] = 'eu-westt-1';
      },
      'warning REGION_UNKNOWN nodes.1.region',
    ],
    [
      'a Region whose KMS no enclave can authenticate',
      (vault) => {
        vault.region = 'us-iso-east-1';
      },
      'error REGION_UNFIT region',
    ],
    [
      'a node in another partition',
      (vault) => {
        node(vault, 2)['region'] = 'cn-north-1';
        node(vault, 2).admins = [
          'arn:aws-cn:iam::222222222222:role/a',
          'arn:aws-cn:iam::222222222222:role/b',
        ];
      },
      'error PARTITIONS_DIFFER nodes.1.region',
    ],
    [
      'one statement key in two roles',
      (vault) => {
        node(vault, 2).statementKey = node(vault, 1).statementKey;
      },
      'error STATEMENT_KEY_SHARED nodes.1.statementKey',
    ],
    [
      'one configuration authority of two nodes',
      (vault) => {
        node(vault, 3).configurationAuthority.keys = [...node(vault, 1).configurationAuthority.keys];
      },
      'error AUTHORITY_KEY_SHARED nodes.2.configurationAuthority.keys.0',
    ],
    [
      'one node with another recovery key',
      (vault) => {
        node(vault, 3).recovery = { publicKey: sampleKey('other', 'x25519') };
      },
      'warning RECOVERY_KEYS_DIFFER nodes.2.recovery.publicKey',
    ],
    [
      'as many recovery keys as nodes, which nobody could recover a shared key with',
      (vault) => {
        for (const number of [1, 2, 3])
          node(vault, number).recovery = { publicKey: sampleKey(`recovery ${number}`, 'x25519') };
      },
      'error RECOVERY_KEYS_DIFFER nodes.1.recovery.publicKey',
    ],
    [
      'one key for two purposes',
      (vault) => {
        node(vault, 2).configurationAuthority.keys = [node(vault, 1).statementKey];
      },
      'error KEY_OF_TWO_PURPOSES nodes.1.configurationAuthority.keys.0',
    ],
    [
      "an authority that is a client's key",
      (vault) => {
        vault.clients[0] = { ...vault.clients[0], publicKey: node(vault, 1).configurationAuthority.keys[0] };
      },
      'error KEY_OF_TWO_PURPOSES clients.0.publicKey',
    ],
    [
      'a point of small order as a statement key',
      (vault) => {
        node(vault, 1).statementKey = `01${'00'.repeat(31)}`;
      },
      'error PUBLIC_KEY_UNUSABLE nodes.0.statementKey',
    ],
    [
      'a text that is no point of the curve',
      (vault) => {
        node(vault, 1).statementKey = 'f'.repeat(64);
      },
      'error PUBLIC_KEY_UNUSABLE nodes.0.statementKey',
    ],
    [
      'a recovery key that everybody can read for',
      (vault) => {
        node(vault, 1).recovery.publicKey = `01${'00'.repeat(31)}`;
      },
      'error PUBLIC_KEY_UNUSABLE nodes.0.recovery.publicKey',
    ],
    [
      'a threshold above the number of nodes',
      (vault) => {
        vault.threshold = 4;
      },
      'error THRESHOLD_ABOVE_NODES threshold',
    ],
    [
      'a threshold of one',
      (vault) => {
        vault.threshold = 1;
      },
      'error THRESHOLD_OF_ONE threshold',
    ],
    [
      'a threshold that two groups reach apart',
      (vault) => {
        vault.nodes.push({
          ...node(vault, 3),
          node: 4,
          account: '555555555555',
          admins: ['arn:aws:iam::555555555555:role/e', 'arn:aws:iam::555555555555:role/f'],
          statementKey: sampleKey('statement 4'),
          configurationAuthority: { threshold: 1, keys: [sampleKey('authority 4')], function: false },
          recovery: { publicKey: sampleKey('recovery', 'x25519') },
        });
      },
      'warning THRESHOLD_BELOW_MAJORITY threshold',
    ],
    [
      'a threshold that bears no loss',
      (vault) => {
        vault.threshold = 3;
      },
      'warning THRESHOLD_BEARS_NO_LOSS threshold',
    ],
    [
      'more authorities needed than there are',
      (vault) => {
        node(vault, 1).configurationAuthority.threshold = 2;
      },
      'error AUTHORITY_THRESHOLD_UNMET nodes.0.configurationAuthority.threshold',
    ],
    [
      'a function that configures a node alone',
      (vault) => {
        node(vault, 1).configurationAuthority.function = true;
      },
      'warning AUTHORITY_FUNCTION_ALONE nodes.0.configurationAuthority.threshold',
    ],
    [
      'more witnesses among the nodes than there are',
      (vault) => {
        vault.parts['peerWitnesses'] = { threshold: 3, maxUncosignedSeconds: 0 };
      },
      'error PEER_WITNESSES_UNMET parts.peerWitnesses.threshold',
    ],
    [
      'so few witnesses among the nodes that two histories find as many',
      (vault) => {
        vault.parts['peerWitnesses'] = { threshold: 1, maxUncosignedSeconds: 0 };
      },
      'error PEER_WITNESSES_UNSOUND parts.peerWitnesses.threshold',
    ],
    [
      'a namespace whose roles would have names that are too long',
      (vault) => {
        vault['namespace'] = 'a'.repeat(21);
      },
      'error NAME_TOO_LONG namespace',
    ],
    [
      'a namespace after which no stack can be named',
      (vault) => {
        vault['namespace'] = '1st';
      },
      'error NAME_UNFIT namespace',
    ],
    ...['t3.xlarge', 'm6g.xlarge', 'm7gd.xlarge', 'c5.large', 'm6i.metal'].map(
      (instanceType) =>
        [
          `a host of type ${instanceType}`,
          (vault: SampleVault) => {
            vault.infrastructure.host['instanceType'] = instanceType;
          },
          'error HOST_TYPE_UNFIT infrastructure.host.instanceType',
        ] as const,
    ),
    [
      'a node that everybody may reach',
      (vault) => {
        vault.infrastructure.network['clientCidr'] = '0.0.0.0/0';
      },
      'warning CLIENTS_FROM_ANYWHERE infrastructure.network.clientCidr',
    ],
    [
      'a release without a key',
      (vault) => {
        vault.release['publicKey'] = null;
      },
      'error RELEASE_KEY_MISSING release.publicKey',
    ],
    [
      'a release whose key is none',
      (vault) => {
        vault.release['publicKey'] = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';
      },
      'error RELEASE_KEY_UNUSABLE release.publicKey',
    ],
    [
      'an owner who is no client',
      (vault) => {
        vault.tenant.owners.clients = ['nobody'];
      },
      'error OWNER_UNKNOWN tenant.owners.clients.0',
    ],
    [
      'owners who are everybody',
      (vault) => {
        vault.tenant.owners.clients = ['wallet-backend', 'operations'];
      },
      'warning OWNERS_EVERYBODY tenant.owners.clients',
    ],
    [
      'an owner who signs, too',
      (vault) => {
        vault.tenant.owners.clients = ['wallet-backend'];
      },
      'warning OWNER_SIGNS tenant.owners.clients.0',
    ],
    [
      'a whole key that should be recovered, which no node takes up',
      (vault) => {
        vault.tenant.keys.push({
          id: 'whole',
          type: 'ed25519',
          publicKey: sampleKey('whole'),
          networks: [],
        });
      },
      'error KEY_NOT_RECOVERABLE tenant.keys.1.publicKey',
    ],
    [
      'a key whose group is pinned, which no import makes',
      (vault) => {
        vault.tenant.keys.push({
          id: 'lost',
          type: 'frost-ed25519',
          publicKey: sampleKey('lost'),
          commitments: 'ab'.repeat(48),
          networks: [],
        });
      },
      'error KEY_NOT_RECOVERABLE tenant.keys.1.commitments',
    ],
    [
      'a public key of a lost key that is no point of its curve',
      (vault) => {
        vault.tenant.keys.push({
          id: 'lost',
          type: 'frost-secp256k1-taproot',
          publicKey: sampleKey('lost'),
          networks: [],
        });
      },
      'error PUBLIC_KEY_UNUSABLE tenant.keys.1.publicKey',
    ],
    [
      'one lost key under two ids',
      (vault) => {
        for (const id of ['lost', 'lost-again'])
          vault.tenant.keys.push({
            id,
            type: 'frost-ed25519',
            publicKey: sampleKey('lost'),
            networks: [],
          });
      },
      'error KEY_OF_TWO_PURPOSES tenant.keys.2.publicKey',
    ],
    [
      'a rule of the tenant that administers keys',
      (vault) => {
        rule(vault)['operations'] = ['sign', 'reshare'];
      },
      'error RULE_ADMINISTERS tenant.rules.0.operations',
    ],
    [
      'a rule with an id of the vault itself',
      (vault) => {
        rule(vault)['id'] = 'vault-owners-administer';
      },
      'error TENANT_NAME_RESERVED tenant.rules.0.id',
    ],
    [
      'a key that each node would make for itself',
      (vault) => {
        vault.tenant.keys.push({ id: 'hot', type: 'secp256k1', networks: ['eip155:1'] });
      },
      'warning KEY_PER_NODE tenant.keys.1.type',
    ],
    [
      'a rule for a key that is not there',
      (vault) => {
        rule(vault)['keys'] = ['other'];
      },
      'error TENANT_MALFORMED tenant.rules.0.keys',
    ],
    [
      'a door for a client that is not there',
      (vault) => {
        vault.parts['gateways'] = [{ id: 'kms', protocol: 'kms', client: 'nobody' }];
      },
      'error GATEWAY_CLIENT_UNKNOWN parts.gateways.0.client',
    ],
    [
      'a door that acts as an owner',
      (vault) => {
        vault.parts['gateways'] = [{ id: 'kms', protocol: 'kms', client: 'operations' }];
      },
      'error GATEWAY_CLIENT_OWNER parts.gateways.0.client',
    ],
    [
      'a value that was left open',
      (vault) => {
        vault.infrastructure.network['vpcId'] = 'vpc-00000000';
      },
      'error VALUE_LEFT_OPEN infrastructure.network.vpcId',
    ],
  ];
  it.each(CASES)('finds %s', (_, change, expected) => {
    expect(codesOf(change)).toContain(expected);
  });

  it('passes on what the lint of configurations finds', () => {
    expect(check().map(({ text }) => text)).toContainEqual(
      expect.stringContaining('BLIND_PAYLOAD (messages)'),
    );
  });

  it('says whom a finding concerns, and on which line it is', () => {
    const [found] = check((vault) => {
      node(vault, 2).statementKey = node(vault, 1).statementKey;
    });
    expect(found).toMatchObject({ code: 'STATEMENT_KEY_SHARED', roles: ['node-1', 'node-2'] });
    expect(found?.line).toBeGreaterThan(1);
  });

  it('finds every open value of a new file, and nothing else but what follows from them', () => {
    const OPEN = /^[^#]*(?:0{8}|0\.0\.0\.0\/32)/;
    const text = renderVaultFile({
      namespace: 'acme',
      environment: 'production',
      region: 'eu-central-1',
      threshold: 2,
      release: { version: '1.0.0', from: './release' },
      infrastructure: {},
      nodes: [{}, {}, {}],
    });
    const errors = checkVault(locateVault(Buffer.from(text)), NOW).filter(
      ({ severity }) => severity === 'error',
    );
    expect(new Set(errors.map(({ code }) => code))).toEqual(
      new Set(['VALUE_LEFT_OPEN', 'RELEASE_KEY_MISSING']),
    );
    const lines = text.split('\n');
    for (const { code, line } of errors) {
      if (code === 'VALUE_LEFT_OPEN') expect(lines[(line ?? 0) - 1]).toMatch(OPEN);
    }
    const open = lines.flatMap((line, index) => (OPEN.test(line) ? [index + 1] : []));
    expect(new Set(errors.filter(({ code }) => code === 'VALUE_LEFT_OPEN').map(({ line }) => line))).toEqual(
      new Set(open),
    );
  });

  it('lets nothing be derived from a description with an error', () => {
    const { document } = parseSample((vault) => {
      vault.threshold = 4;
    });
    expect(() => {
      assertSound(document, NOW);
    }).toThrow(VaultError);
    expect(() => {
      assertSound(document, NOW);
    }).toThrow(expect.objectContaining({ code: 'VAULT_UNSOUND' }));
    expect(() => {
      assertSound(parseSample().document, NOW);
    }).not.toThrow();
  });
});
