import type { Validator } from '../description.ts';
import { isLoopback } from '../fields.ts';
import { endpointOf } from '../fragments.ts';
import type { Hocon, HoconObject } from '../hocon/resolve.ts';
import type { Report } from './finding.ts';

/**
 * Fields that Canton 3.5 knows; any other one stops the node.
 *
 * Source: Canton, CryptoConfig.scala, KmsConfig.scala, SessionSigningKeysConfig.scala, EncryptedPrivateStoreConfig.scala.
 */
const CRYPTO = [
  'provider',
  'signing',
  'encryption',
  'symmetric',
  'hash',
  'pbkdf',
  'kms',
  'session-signing-keys',
  'private-key-store',
  'parallelism',
];
const KMS_TYPES: Readonly<Record<string, readonly string[]>> = {
  aws: [
    'type',
    'region',
    'multi-region-key',
    'audit-logging',
    'retries',
    'disable-ssl-verification',
    'endpoint-override',
    'session-signing-keys',
  ],
  gcp: [
    'type',
    'location-id',
    'project-id',
    'key-ring-id',
    'audit-logging',
    'retries',
    'endpoint-override',
    'session-signing-keys',
  ],
  driver: ['type', 'name', 'config', 'health-check-period', 'retries', 'session-signing-keys'],
};
const RETRIES = ['failures', 'create-key-check'];
const BACKOFF = ['initial-delay', 'max-delay', 'max-retries'];
const SESSION = [
  'enabled',
  'key-validity-duration',
  'tolerance-shift-duration',
  'cut-off-duration',
  'key-eviction-period',
  'signing-algorithm-spec',
  'signing-key-spec',
];
const STORE = ['type', 'wrapper-key-id', 'reverted'];

type Members = ReadonlyMap<string, Hocon>;
const NOTHING: Members = new Map();

/** Judges the configuration in force of a validator's participant. */
export function checkSettings(
  root: HoconObject,
  validator: Validator,
  isProduction: boolean,
  report: Report,
): void {
  const participants = membersOf(at(root.members, 'canton', 'participants'));
  const other = [...participants.keys()].find((name) => name !== validator.participant);
  if (other !== undefined)
    report(
      'NODE_NAME_OTHER',
      'error',
      `canton.participants.${other}`,
      `the node is called ${validator.participant}: this configures another one`,
      'Write the name of the node.',
    );
  const parameters = membersOf(at(root.members, 'canton', 'parameters'));
  if (isTrue(parameters.get('non-standard-config')))
    report(
      'NON_STANDARD_CONFIG',
      'warning',
      place(parameters.get('non-standard-config'), 'canton.parameters.non-standard-config'),
      'checks of Canton against dangerous settings are off',
      'Take it out, unless something else needs it.',
    );
  const crypto = membersOf(at(participants, validator.participant, 'crypto'));
  const base = `canton.participants.${validator.participant}.crypto`;
  checkKnown(crypto, CRYPTO, base, report);
  const kms = membersOf(crypto.get('kms'));
  const provider = textOf(crypto.get('provider')) ?? 'jce';
  const store = membersOf(at(crypto, 'private-key-store', 'encryption'));
  checkStore(provider, store, `${base}.private-key-store.encryption`, crypto, report);
  if (kms.size > 0) {
    if (provider !== 'kms' && store.size === 0)
      report(
        'KMS_UNUSED',
        'error',
        place(crypto.get('kms'), `${base}.kms`),
        `kms is configured, and provider is ${provider}: new keys stay in the database`,
        'Set crypto.provider = kms.',
      );
    checkKms(kms, `${base}.kms`, isProduction, report);
  }
  checkSession(crypto, kms, provider, base, report);
  compare(validator, { kms, provider, store, crypto }, base, report);
}

function checkStore(provider: string, store: Members, path: string, crypto: Members, report: Report): void {
  if (store.size === 0) return;
  checkKnown(store, STORE, path, report);
  if (provider === 'kms')
    report(
      'PRIVATE_KEY_STORE_IGNORED',
      'error',
      place(crypto.get('private-key-store'), path),
      'with provider kms Canton reads private-key-store and ignores it',
      'Take one of the two out: keys in KMS, or keys in the database under a key in KMS.',
    );
}

function checkKms(kms: Members, path: string, isProduction: boolean, report: Report): void {
  const type = textOf(kms.get('type'));
  const known = type === undefined ? undefined : KMS_TYPES[type];
  if (known === undefined) {
    if (kms.get('type')?.type !== 'unknown')
      report(
        'CONFIG_FIELD_WRONG',
        'error',
        place(kms.get('type'), `${path}.type`),
        `expected aws, gcp or driver in lower case, found ${type ?? 'nothing'}: the node stops`,
        'Write type = aws.',
      );
    return;
  }
  for (const [name, value] of kms) {
    if (known.includes(name)) continue;
    const isOther = Object.values(KMS_TYPES).some((fields) => fields.includes(name));
    if (isOther)
      report(
        'KMS_FIELD_LEFT_OVER',
        'error',
        place(value, `${path}.${name}`),
        `a field of another type than ${type}, left there by merging: the node stops`,
        'Write kms = null before the new block, or take the field out where it is set.',
      );
    else unknownField(value, `${path}.${name}`, report);
  }
  const retries = membersOf(kms.get('retries'));
  checkKnown(retries, RETRIES, `${path}.retries`, report);
  for (const name of RETRIES) {
    const backoff = membersOf(retries.get(name));
    if (!retries.has(name)) continue;
    checkKnown(backoff, BACKOFF, `${path}.retries.${name}`, report);
    const missing = BACKOFF.filter((field) => !backoff.has(field));
    if (missing.length > 0 && retries.get(name)?.type !== 'unknown')
      report(
        'RETRIES_PARTIAL',
        'error',
        place(retries.get(name), `${path}.retries.${name}`),
        `lacks ${missing.join(', ')}, which have no defaults: the node stops`,
        'Write all three, or take the block out.',
      );
  }
  if (isTrue(kms.get('disable-ssl-verification')))
    report(
      'SSL_VERIFICATION_OFF',
      'error',
      place(kms.get('disable-ssl-verification'), `${path}.disable-ssl-verification`),
      'whoever is on the way can answer for KMS; the image sets non-standard-config, so that Canton takes it without a word',
      'Take it out, and give the JVM a trust store.',
    );
  if (type !== 'driver' && !isTrue(kms.get('audit-logging')) && isProduction)
    report(
      'AUDIT_LOGGING_OFF',
      'warning',
      place(kms.get('audit-logging') ?? kms.get('type'), `${path}.audit-logging`),
      'production, and no line of a log says what KMS was asked',
      'Set audit-logging = true.',
    );
  if (type === 'aws') checkEndpoint(kms.get('endpoint-override'), `${path}.endpoint-override`, report);
  if (type === 'aws' && !kms.has('region'))
    report('KMS_REGION_MISSING', 'error', path, 'type aws has no region: the node stops', 'Set region.');
}

function checkEndpoint(value: Hocon | undefined, path: string, report: Report): void {
  const text = textOf(value);
  if (text === undefined) return;
  if (text === '') {
    report(
      'ENDPOINT_EMPTY',
      'error',
      place(value, path),
      'Canton takes an empty endpoint for one',
      'Take it out, or write null.',
    );
    return;
  }
  if (!URL.canParse(text)) {
    report(
      'CONFIG_FIELD_WRONG',
      'error',
      place(value, path),
      'expected a URL',
      'Write https://HOST:PORT in quotes.',
    );
    return;
  }
  const { protocol, hostname } = new URL(text);
  if (protocol === 'http:' && !isLoopback(hostname))
    report(
      'ENDPOINT_HTTP',
      'error',
      place(value, path),
      `http to ${hostname}: signatures and credentials cross a network in the clear`,
      'Use https, or a door in the same pod.',
    );
}

function checkSession(crypto: Members, kms: Members, provider: string, base: string, report: Report): void {
  const old = kms.get('session-signing-keys');
  if (old !== undefined)
    report(
      'SESSION_KEYS_PLACE',
      'warning',
      place(old, `${base}.kms.session-signing-keys`),
      'a place that Canton has deprecated: it moves the block, with a warning',
      'Write crypto.session-signing-keys.',
    );
  const session = membersOf(crypto.get('session-signing-keys') ?? old);
  checkKnown(session, SESSION, `${base}.session-signing-keys`, report);
  const isOn = isTrue(session.get('enabled'));
  if (isOn && provider !== 'kms')
    report(
      'SESSION_KEYS_UNUSED',
      'warning',
      place(session.get('enabled'), `${base}.session-signing-keys.enabled`),
      'session signing keys need provider kms',
      'Take them out.',
    );
  if (!isOn && provider === 'kms')
    report(
      'SESSION_KEYS_OFF',
      'note',
      `${base}.session-signing-keys`,
      'each message of the protocol is one signature of KMS',
      'Set enabled = true, from protocol version 35 on.',
    );
}

interface InForce {
  readonly kms: Members;
  readonly provider: string;
  readonly store: Members;
  readonly crypto: Members;
}

/** Compares what is in force with what the description says. */
function compare(
  validator: Validator,
  { kms, provider, store, crypto }: InForce,
  base: string,
  report: Report,
): void {
  const isOn = provider === 'kms' || store.size > 0;
  if (!validator.kms) {
    if (isOn)
      report(
        'KMS_ON_HERE',
        'error',
        place(crypto.get('provider') ?? crypto.get('private-key-store'), base),
        'KMS is on, and off in the description',
        'Change one of them: keys that are in KMS stay there.',
      );
    return;
  }
  const isWanted = validator.mode === 'keys' ? provider === 'kms' : provider === 'jce' && store.size > 0;
  if (!isWanted) {
    report(
      'KMS_OFF_HERE',
      'error',
      place(crypto.get('provider'), base),
      `expected mode ${validator.mode}, found provider ${provider}${store.size > 0 ? ' and an encrypted store' : ''}`,
      'Roll out what canton render writes.',
    );
    return;
  }
  const type = textOf(kms.get('type'));
  if (type !== undefined && type !== 'aws')
    report(
      'KMS_TYPE_DIFFERS',
      'error',
      place(kms.get('type'), `${base}.kms.type`),
      `expected aws, found ${type}`,
      'Roll out what canton render writes.',
    );
  const region = textOf(kms.get('region'));
  if (region !== undefined && region !== validator.provider.region)
    report(
      'KMS_REGION_DIFFERS',
      'error',
      place(kms.get('region'), `${base}.kms.region`),
      `expected the Region of the keys, ${validator.provider.region}, found ${region}`,
      'Set the Region in which the keys are.',
    );
  const endpoint = endpointOf(validator);
  const found = kms.get('endpoint-override');
  const text = found?.type === 'scalar' && found.value !== null ? String(found.value) : undefined;
  if (found?.type !== 'unknown' && text !== '' && text !== endpoint)
    report(
      'ENDPOINT_DIFFERS',
      'error',
      place(found, `${base}.kms.endpoint-override`),
      `expected ${endpoint ?? 'the endpoint of the Region'}, found ${text ?? 'none'}`,
      'Roll out what canton render writes.',
    );
}

function checkKnown(members: Members, known: readonly string[], path: string, report: Report): void {
  for (const [name, value] of members)
    if (!known.includes(name)) unknownField(value, `${path}.${name}`, report);
}

function unknownField(value: Hocon, path: string, report: Report): void {
  report(
    'CONFIG_FIELD_UNKNOWN',
    'error',
    place(value, path),
    'Canton knows no such field, and stops',
    'Take it out, or mend its name: fields are in kebab case.',
  );
}

/** Members of an object, without those that are null, which Canton takes for absent. */
function membersOf(value: Hocon | undefined): Members {
  if (value?.type !== 'object') return NOTHING;
  return new Map(
    [...value.members].filter(([, member]) => member.type !== 'scalar' || member.value !== null),
  );
}

function at(members: Members, ...path: readonly string[]): Hocon | undefined {
  const [name = '', ...rest] = path;
  const value = members.get(name);
  return rest.length === 0 ? value : at(membersOf(value), ...rest);
}

function textOf(value: Hocon | undefined): string | undefined {
  return value?.type === 'scalar' && value.value !== null ? value.text : undefined;
}

/** Tells whether a value is one that Canton takes for true (SimpleConfig.getBoolean). */
function isTrue(value: Hocon | undefined): boolean {
  return ['true', 'yes', 'on'].includes(textOf(value) ?? '');
}

function place(value: Hocon | undefined, path: string): string {
  return value === undefined ? path : `${path} (${value.place.source}:${value.place.line})`;
}
