import { describe, expect, it } from 'vitest';
import { parseIdentityPolicy } from '../../../attestation/key-policy/index.ts';
import {
  CantonError,
  checkDescription,
  type CheckFinding,
  joinObjects,
  parseDescription,
  parseObjects,
  renderDescription,
} from '../../../admin/canton/index.ts';
import { CANTON_CODES } from '../../../cli/explain/codes/canton.ts';
import { makeObjects } from './cluster.ts';
import { makeAwsValidator, makeDoorValidator, makePlainValidator } from './sample-description.ts';

type Fields = Record<string, unknown>;
/** Parts of one validator's cluster that a case changes. */
interface Cluster {
  validator: Fields;
  others: Fields[];
  workload: Fields & { spec: Fields & { replicas?: number; template: { spec: Pod } } };
  account: Fields & { metadata: Fields & { annotations?: Fields } };
  more: Fields[];
  policy?: Fields;
}
interface Pod {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  containers: { image: string; env: Variable[]; envFrom?: Fields[]; volumeMounts?: Fields[] }[];
  initContainers?: Fields[];
}
interface Variable {
  name: string;
  value?: string;
  valueFrom?: Fields;
}

/** Checks one validator's cluster after a change to what was rendered for it. */
function check(base: Fields, change: (cluster: Cluster) => void = () => {}): CheckFinding[] {
  const rendered = (validator: Fields) => parse([validator]);
  const [workload, account] = makeObjects(rendered(base)).items;
  const cluster = structuredClone({
    validator: base,
    others: [],
    workload,
    account,
    more: [],
  }) as unknown as Cluster;
  change(cluster);
  const { validator, others, more, policy } = cluster;
  const description = parse([validator, ...others]);
  const items = [cluster.workload, cluster.account, ...more].filter((item) => item !== undefined);
  const policies =
    policy === undefined ? [] : [['beta', [parseIdentityPolicy(JSON.stringify(policy))]] as const];
  return checkDescription(
    description,
    parseObjects(Buffer.from(JSON.stringify({ kind: 'List', items }))),
    new Map(policies),
  );
}

function parse(validators: readonly Fields[]) {
  const environment = { name: 'sample', production: true, kms: true };
  return parseDescription(
    Buffer.from(JSON.stringify({ format: 'holdfast-canton/1', environment, validators })),
  );
}

const container = ({ workload }: Cluster) => {
  const [first] = workload.spec.template.spec.containers;
  if (first === undefined) throw new TypeError('a workload without containers');
  return first;
};
/** Adds a variable at the end. */
const fragment = (name: string, value: string) => (cluster: Cluster) => {
  container(cluster).env.push({ name, value });
};
const later = (text: string) =>
  fragment('ADDITIONAL_CONFIG_Z', `canton.participants.participant1.crypto${text}`);
const replace = (from: string, to: string) => (cluster: Cluster) => {
  for (const variable of container(cluster).env) {
    if (variable.value?.includes(from) === true) variable.value = variable.value.replaceAll(from, to);
  }
};
const withBase =
  (change: Fields, then: (cluster: Cluster) => void = () => {}) =>
  (cluster: Cluster) => {
    Object.assign(cluster.validator, change);
    then(cluster);
  };
const remote = {
  ...makeDoorValidator(),
  provider: {
    type: 'door',
    region: 'eu-central-1',
    account: '111122223333',
    endpoint: 'https://door.internal:8443',
  },
};
const envelope = { ...makeAwsValidator(), mode: 'envelope' };

/** Clusters in which each code is found: the validator that is rendered, and what is changed then. */
const CASES: readonly (readonly [code: string, base: Fields, change: (cluster: Cluster) => void])[] = [
  ['AUDIT_LOGGING_OFF', { ...makeAwsValidator(), auditLogging: false }, () => {}],
  ['CONFIG_FIELD_UNKNOWN', makeAwsValidator(), later('.kms.key-id = x')],
  ['CONFIG_FIELD_UNKNOWN', makeAwsValidator(), later('.kms.auditLogging = true')],
  ['CONFIG_FIELD_UNKNOWN', makeAwsValidator(), later('.session-signing-keys.validity = 5m')],
  ['CONFIG_FIELD_WRONG', makeAwsValidator(), replace('type = "aws"', 'type = "AWS"')],
  ['CONFIG_FIELD_WRONG', makeAwsValidator(), later('.kms.endpoint-override = nowhere')],
  [
    'CONFIG_FROM_SECRET',
    makeAwsValidator(),
    (cluster) =>
      container(cluster).env.push({
        name: 'ADDITIONAL_CONFIG_X',
        valueFrom: { secretKeyRef: { name: 'a', key: 'b' } },
      }),
  ],
  [
    'CONFIG_MOUNT_READ_ONLY',
    makeAwsValidator(),
    (cluster) => {
      container(cluster).volumeMounts = [
        { name: 'config', mountPath: '/app/additional-config.conf', readOnly: true },
      ];
    },
  ],
  ['CONFIG_NOT_READ', makeAwsValidator(), fragment('ADDITIONAL_CONFIG_Z', 'include "other.conf"')],
  ['CONFIG_NOT_READ', makeAwsValidator(), fragment('ADDITIONAL_CONFIG_Z', 'a += 1')],
  ['CONFIG_SUBSTITUTION_UNANSWERED', makeAwsValidator(), later('.kms.region = ${NOBODY}')],
  ['CONFIG_UNPARSABLE', makeAwsValidator(), fragment('ADDITIONAL_CONFIG_Z', 'a = }')],
  ['CONFIG_URL_UNQUOTED', makeAwsValidator(), later('.kms.endpoint-override = https://a:8443')],
  ['CONFIG_VARIABLE_LEFT', makeAwsValidator(), later('.kms.region = "$(NOBODY)"')],
  [
    'CREDENTIALS_ABSENT',
    makeDoorValidator(),
    (cluster) => {
      container(cluster).env = container(cluster).env.filter(({ name }) => name !== 'AWS_SECRET_ACCESS_KEY');
    },
  ],
  [
    'CREDENTIALS_BESIDE_ROLE',
    makeAwsValidator(),
    (cluster) =>
      container(cluster).env.push({
        name: 'AWS_ACCESS_KEY_ID',
        valueFrom: { secretKeyRef: { name: 'a', key: 'b' } },
      }),
  ],
  ['CREDENTIALS_INLINE', makeDoorValidator(), fragment('AWS_SECRET_ACCESS_KEY', 'x')],
  [
    'DOOR_MISSING',
    makeDoorValidator(),
    ({ workload }) => {
      workload.spec.template.spec.initContainers = [];
    },
  ],
  [
    'DOOR_WITHOUT_PROBE',
    makeDoorValidator(),
    ({ workload }) => {
      for (const door of workload.spec.template.spec.initContainers ?? []) delete door['readinessProbe'];
    },
  ],
  ['ENDPOINT_DIFFERS', makeDoorValidator(), replace(':5080', ':5081')],
  ['ENDPOINT_EMPTY', makeAwsValidator(), later('.kms.endpoint-override = ""')],
  ['ENDPOINT_HTTP', makeAwsValidator(), later('.kms.endpoint-override = "http://gateway:5080"')],
  ['FRAGMENT_NAME_IGNORED', makeAwsValidator(), fragment('ADDITIONAL_CONFIG-kms', 'a = 1')],
  ['FRAGMENT_NAME_IGNORED', makeAwsValidator(), fragment('ADDITIONAL_CONFIG.kms', 'a = 1')],
  [
    'FRAGMENT_ORDER_NUMERIC',
    makeAwsValidator(),
    (cluster) => {
      fragment('ADDITIONAL_CONFIG_2', 'a = 1')(cluster);
      fragment('ADDITIONAL_CONFIG_10', 'b = 1')(cluster);
    },
  ],
  ['FRAGMENT_OVERRIDDEN', makeAwsValidator(), later(' { kms { region = "eu-west-1" } }')],
  ['FRAGMENT_OVERRIDDEN', makeAwsValidator(), later('.kms = null')],
  [
    'IAM_PERMISSION_EXCESSIVE',
    makeAwsValidator(),
    (cluster) => {
      cluster.policy = allow(['kms:*']);
    },
  ],
  [
    'IAM_PERMISSION_MISSING',
    makeAwsValidator(),
    (cluster) => {
      const all = ['CreateKey', 'TagResource', 'DescribeKey', 'GetPublicKey', 'Sign', 'Decrypt'];
      cluster.policy = allow(all.map((action) => `kms:${action}`));
    },
  ],
  ['IAM_POLICY_NOT_SEEN', makeAwsValidator(), () => {}],
  ['SECRETS_NOT_SEEN', makeDoorValidator(), () => {}],
  ...['configMapRef', 'secretRef'].map(
    (source) =>
      [
        'VARIABLES_NOT_SEEN',
        makeAwsValidator(),
        (cluster: Cluster) => {
          container(cluster).envFrom = [{ [source]: { name: 'more', optional: true } }];
        },
      ] as const,
  ),
  [
    'IMAGE_BY_TAG',
    { ...makeAwsValidator(), image: { reference: 'canton:3', attested: { pcrs: { 0: 'ab'.repeat(48) } } } },
    () => {},
  ],
  [
    'IMAGE_DIFFERS',
    makeAwsValidator(),
    (cluster) => {
      container(cluster).image = 'canton:3';
    },
  ],
  ['IMAGE_UNATTESTED', { ...makeAwsValidator(), image: { reference: 'canton:3', attested: 'no' } }, () => {}],
  [
    'KEY_IN_OTHER_REGION',
    makeAwsValidator(),
    withBase({ keys: { signing: { id: 'x', region: 'eu-west-1' } } }),
  ],
  [
    'KEY_NAMES_ALIKE',
    { ...makeAwsValidator(), kind: 'splice', participant: 'participant' },
    ({ validator, others }) => {
      others.push({ ...validator, name: 'delta', namespace: 'delta' });
    },
  ],
  [
    'KEY_OF_TWO_VALIDATORS',
    makeAwsValidator(),
    withBase({ keys: { signing: { id: 'x' } } }, ({ others }) => {
      const id = 'arn:aws:kms:eu-central-1:111122223333:key/x';
      others.push({ ...makeDoorValidator(), keys: { signing: { id } } });
    }),
  ],
  [
    'KMS_FIELD_LEFT_OVER',
    makeAwsValidator(),
    later('.kms = { type = gcp, location-id = a, project-id = b, key-ring-id = c }'),
  ],
  ['KMS_OFF_HERE', makeAwsValidator(), later('.provider = jce')],
  ['KMS_ON_HERE', makeAwsValidator(), withBase({ kms: false })],
  ['KMS_REGION_DIFFERS', makeAwsValidator(), replace('eu-central-1', 'eu-west-1')],
  ['KMS_REGION_MISSING', makeAwsValidator(), replace('region = "eu-central-1"', '')],
  ['KMS_TYPE_DIFFERS', makeAwsValidator(), replace('type = "aws"', 'type = driver')],
  ['KMS_UNPROBED', makeAwsValidator(), () => {}],
  ['KMS_UNUSED', makeAwsValidator(), replace('provider = "kms"', '')],
  [
    'NODE_NAME_OTHER',
    makeAwsValidator(),
    fragment('ADDITIONAL_CONFIG_Z', 'canton.participants.other.crypto.provider = kms'),
  ],
  [
    'NON_STANDARD_CONFIG',
    makeAwsValidator(),
    fragment('ADDITIONAL_CONFIG_Z', 'canton.parameters.non-standard-config = yes'),
  ],
  ['PRIVATE_KEY_STORE_IGNORED', makeAwsValidator(), later('.private-key-store.encryption.type = kms')],
  [
    'REPLICAS_SEVERAL',
    makeAwsValidator(),
    ({ workload }) => {
      workload.spec.replicas = 2;
    },
  ],
  ['RETRIES_PARTIAL', makeAwsValidator(), later('.kms.retries.create-key-check.max-retries = 3')],
  [
    'ROLE_ANNOTATION_DIFFERS',
    makeAwsValidator(),
    ({ account }) => {
      account.metadata.annotations = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/other' };
    },
  ],
  [
    'ROLE_ANNOTATION_MISSING',
    makeAwsValidator(),
    ({ account }) => {
      delete account.metadata.annotations;
    },
  ],
  [
    'SECRET_ABSENT',
    makeDoorValidator(),
    ({ more }) => {
      more.push({ kind: 'Secret', metadata: { name: 'other', namespace: 'validator-alpha' } });
    },
  ],
  [
    'SECRET_ABSENT',
    makeDoorValidator(),
    ({ more }) => {
      more.push(...['holdfast-door', 'aws-credentials'].map((name) => secretOf(name, { accessKeyId: '' })));
    },
  ],
  [
    'SERVICE_ACCOUNT_ABSENT',
    makeAwsValidator(),
    ({ account }) => {
      account.metadata['name'] = 'other';
    },
  ],
  [
    'SERVICE_ACCOUNT_DIFFERS',
    makeAwsValidator(),
    ({ workload }) => {
      delete workload.spec.template.spec.serviceAccountName;
    },
  ],
  ['SESSION_KEYS_OFF', { ...makeAwsValidator(), sessionSigningKeys: false }, () => {}],
  ['SESSION_KEYS_PLACE', makeAwsValidator(), later('.kms.session-signing-keys.enabled = true')],
  ['SESSION_KEYS_UNUSED', envelope, later('.session-signing-keys.enabled = true')],
  ['SSL_VERIFICATION_OFF', makeAwsValidator(), later('.kms.disable-ssl-verification = yes')],
  [
    'TOKEN_AUTOMOUNTED',
    makeAwsValidator(),
    ({ workload, account }) => {
      delete workload.spec.template.spec.automountServiceAccountToken;
      delete account['automountServiceAccountToken'];
    },
  ],
  ['TRUST_STORE_ABSENT', remote, () => {}],
  [
    'WORKLOAD_ABSENT',
    makeAwsValidator(),
    ({ workload }) => {
      workload['kind'] = 'StatefulSet';
    },
  ],
];

function allow(actions: readonly string[]): Fields {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] };
}

function secretOf(name: string, data: Fields): Fields {
  return { kind: 'Secret', metadata: { name, namespace: 'validator-alpha' }, data };
}

const codesOf = (findings: readonly CheckFinding[]) => findings.map(({ code }) => code);

describe('a check of validators', () => {
  it.each(CASES)('finds %s', (code, base, change) => {
    expect(codesOf(check(base, change))).toContain(code);
  });

  it('has a case for each of its codes', () => {
    const [, area] = CANTON_CODES;
    const tried = new Set(CASES.map(([code]) => code));
    expect(Object.keys(area?.codes ?? {}).filter((code) => !tried.has(code))).toEqual([]);
    expect(tried.size).toBeGreaterThan(50);
  });

  it.each<[string, Fields]>([
    ['a door in the pod', makeDoorValidator()],
    ['a door elsewhere', { ...remote, trustStore: { secret: 'trust', entry: 'ca.p12', type: 'PKCS12' } }],
    ['a role', makeAwsValidator()],
    ['an encrypted store', envelope],
    ['KMS off', makePlainValidator()],
  ])('finds nothing but notes in what is rendered for %s', (_, base) => {
    expect(check(base).filter(({ severity }) => severity !== 'note')).toEqual([]);
  });

  it('finds nothing wrong in the policy that is rendered, in either mode', () => {
    for (const base of [
      makeAwsValidator(),
      envelope,
      { ...makeAwsValidator(), keysNow: 'kms', keys: keysFor() },
    ]) {
      const found = check(base, (cluster) => {
        const text = renderDescription(parse([base])).get('beta/iam-policy.json') ?? '';
        cluster.policy = JSON.parse(text) as Fields;
      });
      expect(codesOf(found).filter((code) => code.startsWith('IAM'))).toEqual([]);
    }
  });

  it('takes variables as the container gets them: expanded, replaced, from a ConfigMap', () => {
    const region = (cluster: Cluster) => {
      replace('"eu-central-1"', '"$(KMS_REGION)"')(cluster);
      container(cluster).env.unshift({ name: 'KMS_REGION', value: 'eu-central-1' });
    };
    expect(codesOf(check(makeAwsValidator(), region))).toEqual(['KMS_UNPROBED', 'IAM_POLICY_NOT_SEEN']);
    const hocon = replace('"eu-central-1"', '${KMS_REGION}');
    const fromMap = (cluster: Cluster) => {
      hocon(cluster);
      container(cluster).env.push({
        name: 'KMS_REGION',
        valueFrom: { configMapKeyRef: { name: 'settings', key: 'region' } },
      });
      const metadata = { name: 'settings', namespace: 'validator-beta' };
      cluster.more.push({ kind: 'ConfigMap', metadata, data: { region: 'eu-west-1' } });
    };
    expect(codesOf(check(makeAwsValidator(), fromMap))).toEqual([
      'KMS_REGION_DIFFERS',
      'KMS_UNPROBED',
      'IAM_POLICY_NOT_SEEN',
    ]);
  });

  it('lets null begin anew', () => {
    const gcp = 'kms = null\ncanton.participants.participant1.crypto.kms';
    const found = check(makeAwsValidator(), later(`.${gcp} = { type = driver, name = a }`));
    expect(codesOf(found)).not.toContain('KMS_FIELD_LEFT_OVER');
    expect(codesOf(found)).toContain('KMS_TYPE_DIFFERS');
  });

  it('never shows what a Secret holds', () => {
    const found = check(makeDoorValidator(), ({ more }) => {
      more.push(secretOf('other', { accessKeyId: 'c2VjcmV0LXZhbHVl' }));
    });
    expect(JSON.stringify(found)).not.toContain('c2VjcmV0LXZhbHVl');
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['an object without a name', '{"kind":"Secret","metadata":{}}'],
    ['a workload of another shape', '{"kind":"Deployment","metadata":{"name":"a"},"spec":{"template":1}}'],
    ['a list of something else', '{"kind":"List","items":[1]}'],
  ])('refuses %s as objects of a cluster', (_, text) => {
    expect(() => parseObjects(Buffer.from(text))).toThrow(
      expect.objectContaining({ constructor: CantonError, code: 'CANTON_OBJECTS_MALFORMED' }),
    );
  });

  it('refuses a policy of somebody who is not described', () => {
    const description = parse([makePlainValidator()]);
    expect(() => checkDescription(description, joinObjects([]), new Map([['nobody', []]]))).toThrow(
      expect.objectContaining({ code: 'CANTON_VALIDATOR_UNKNOWN' }),
    );
  });
});

function keysFor(): Fields {
  const purposes = ['namespace', 'signing', 'encryption', 'sequencer-auth'];
  return Object.fromEntries(purposes.map((purpose) => [purpose, { id: `key-${purpose}` }]));
}
