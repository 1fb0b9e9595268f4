import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { deriveManifest } from '../../../../admin/vault/index.ts';
import type { StepContext } from '../../../../admin/vault/steps/context.ts';
import {
  planConfiguration,
  type SigningOrder,
  signPlanned,
} from '../../../../admin/vault/steps/sign-configuration.ts';
import { createHandler } from '../../../../deploy/functions/config-signing/handler.ts';
import { openConfiguration } from '../../../../shared/documents/configuration.ts';
import { digestManifest, parseManifest } from '../../../../shared/documents/manifest.ts';
import { ed25519PublicKeyHex } from '../../../../shared/dsse/index.ts';
import { makeConfiguration2 } from '../../../shared/documents/sample-rules.ts';
import { ACCOUNTS, parseSample } from '../sample-vault.ts';

const KEY_ARN = `arn:aws:kms:eu-central-1:${ACCOUNTS[1]}:key/00000001-1234-1234-1234-123456789012`;
const SIGNING_ARN = `arn:aws:kms:eu-central-1:${ACCOUNTS[1]}:key/00000002-1234-1234-1234-123456789012`;
const BUCKET = 'acme-production-node-1-bucket';
const CODE = `functions/${'ab'.repeat(32)}.zip`;
const NOW = Date.parse('2026-12-01T00:00:00Z');

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}
const pair = (): Pair => generateKeyPairSync('ed25519');
const [held, person, stranger] = [pair(), pair(), pair()];

let objects: Map<string, Uint8Array>;
let journal: Map<string, unknown>;
/** What Lambda says of the function, and what the function answers in place of its own answer. */
let found: Record<string, unknown>;
let answer: ((event: object, own: object) => unknown) | undefined;
let functionError: string | undefined;
/** Called before S3 writes; what it throws, S3 refuses by. */
let beforeWrite: () => void;
let context: StepContext;
let manifest: Uint8Array;

function fail(name: string): never {
  throw Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 400 } });
}

/** KMS and S3 of one account, in memory, as the function and the steps ask them. */
function ask(command: object): unknown {
  const { input } = command as { readonly input: Record<string, unknown> };
  const key = String(input['Key']);
  switch (command.constructor.name) {
    case 'GetPublicKeyCommand':
      return { KeyId: SIGNING_ARN, PublicKey: held.publicKey.export({ type: 'spki', format: 'der' }) };
    case 'SignCommand':
      return { KeyId: SIGNING_ARN, Signature: sign(null, input['Message'] as Uint8Array, held.privateKey) };
    case 'GetObjectCommand': {
      const bytes = objects.get(key) ?? fail('NoSuchKey');
      const end = Number(/-(\d+)$/.exec(String(input['Range']))?.[1]);
      return { Body: { transformToByteArray: () => Promise.resolve(bytes.subarray(0, end + 1)) } };
    }
    case 'PutObjectCommand':
      beforeWrite();
      if (objects.has(key)) fail('PreconditionFailed');
      objects.set(key, input['Body'] as Uint8Array);
      return {};
    case 'ListObjectsV2Command':
      return {
        Contents: [...objects.keys()]
          .filter((name) => name.startsWith('configurations/'))
          .sort()
          .map((Key) => ({ Key })),
      };
    default:
      throw new TypeError(`unexpected ${command.constructor.name}`);
  }
}

const client = { send: (command: object) => Promise.resolve().then(() => ask(command)) };

const lambda = {
  async send(command: object) {
    const { input } = command as { readonly input: { readonly Payload?: Uint8Array } };
    if (command.constructor.name === 'GetFunctionConfigurationCommand') return found;
    const handler = createHandler({
      kms: client as never,
      s3: client as never,
      stack: {
        namespace: 'acme',
        environment: 'production',
        node: 1,
        keyArn: KEY_ARN,
        signingKeyArn: SIGNING_ARN,
        bucket: BUCKET,
      },
      now: () => NOW,
      log: () => undefined,
    });
    const event = JSON.parse(Buffer.from(input.Payload ?? []).toString()) as object;
    const own = await handler(event, { getRemainingTimeInMillis: () => 60_000 });
    const said = answer === undefined ? own : answer(event, own);
    const payload = typeof said === 'string' ? said : JSON.stringify(said);
    return {
      Payload: Buffer.from(payload),
      ...(functionError === undefined ? {} : { FunctionError: functionError }),
    };
  },
};

/** Sets up a node whose authorities are the function, and people by their keys. */
function useAuthorities(threshold: number, people: readonly Pair[], atHand: readonly Pair[] = []) {
  const { document: vault } = parseSample((sample) => {
    const [node] = sample.nodes;
    if (node === undefined) throw new TypeError('expected nodes');
    node.configurationAuthority = {
      threshold,
      keys: people.map(({ publicKey }) => ed25519PublicKeyHex(publicKey)),
      function: true,
    };
  });
  manifest = deriveManifest(vault, 1, {
    keyArn: KEY_ARN,
    signingKey: ed25519PublicKeyHex(held.publicKey),
  });
  objects = new Map([['manifest.json', manifest]]);
  const statements: Record<string, object> = {
    'node-1/kms-stack': { facts: { keyArn: KEY_ARN, bucket: BUCKET } },
    'node-1/manifest': { facts: {} },
    'node-1/signing-function': { facts: { code: CODE, name: 'acme-production-node-1-signing' } },
  };
  const open = () => Promise.resolve(client);
  context = {
    vault,
    authorities: atHand.map(({ privateKey }) => privateKey),
    exchange: {
      statement: (role: string, step: string) => Promise.resolve(statements[`${role}/${step}`]),
      file: () => Promise.resolve(manifest),
    },
    journal: {
      get: (name: string) => journal.get(name),
      set: (name: string, value: unknown) => Promise.resolve(void journal.set(name, value)),
    },
    aws: { s3: open, lambda: () => Promise.resolve(lambda) },
    signal: new AbortController().signal,
  } as unknown as StepContext;
}

/** Order of a configuration; `padding` makes it longer than KMS signs as it is. */
function orderOf({ version = 1, padding = '', step = 'configuration' as const } = {}): SigningOrder {
  return {
    node: 1,
    step,
    version,
    derive: (number) => {
      const document = makeConfiguration2({ version: number, manifest: sha384(manifest) });
      return Promise.resolve(new Uint8Array(Buffer.from(JSON.stringify(document) + padding)));
    },
  };
}

const sha384 = (bytes: Uint8Array) => createHash('sha384').update(bytes).digest('hex');
const open = (envelope: Uint8Array) =>
  openConfiguration(envelope, { manifest: parseManifest(manifest), digest: digestManifest(manifest) });
const code = (name: string, details: object = {}) => ({ code: name, details });

beforeEach(() => {
  journal = new Map();
  answer = undefined;
  functionError = undefined;
  beforeWrite = () => undefined;
  found = {
    CodeSha256: Buffer.from('ab'.repeat(32), 'hex').toString('base64'),
    Handler: 'index.handler',
    Environment: {
      Variables: {
        HOLDFAST_NAMESPACE: 'acme',
        HOLDFAST_ENVIRONMENT: 'production',
        HOLDFAST_NODE: '1',
        HOLDFAST_KEY_ARN: KEY_ARN,
        HOLDFAST_SIGNING_KEY_ARN: SIGNING_ARN,
        HOLDFAST_BUCKET: BUCKET,
      },
    },
  };
  useAuthorities(1, []);
});

async function signIt(order: SigningOrder) {
  await planConfiguration(context, order);
  return await signPlanned(context, order);
}

describe('a configuration that the function signs', () => {
  it('is not signed where nobody has seen it, or what was seen is another one', async () => {
    await expect(signPlanned(context, orderOf())).rejects.toMatchObject(code('VAULT_PLAN_CHANGED'));
    await planConfiguration(context, orderOf());
    await expect(signPlanned(context, orderOf({ padding: ' ' }))).rejects.toMatchObject(
      code('VAULT_PLAN_CHANGED'),
    );
    expect([...objects.keys()]).toEqual(['manifest.json']);
  });

  it('is not signed where another one was signed since it was shown', async () => {
    await planConfiguration(context, orderOf());
    const mine = new Map(journal);
    await signIt(orderOf({ padding: ' ' }));
    journal = mine;
    await expect(signPlanned(context, orderOf())).rejects.toMatchObject(
      code('VAULT_SIGNING_REFUSED', { reason: 'SIGNING_NOT_CONFIRMED' }),
    );
  });

  it.each<[string, () => void]>([
    ['CodeSha256', () => (found['CodeSha256'] = Buffer.alloc(32).toString('base64'))],
    ['Handler', () => (found['Handler'] = 'other.handler')],
    ['Layers', () => (found['Layers'] = [{ Arn: 'arn:aws:lambda:eu-central-1:1:layer:x:1' }])],
    ['HOLDFAST_BUCKET', () => (variables()['HOLDFAST_BUCKET'] = 'another-bucket')],
    ['HOLDFAST_KEY_ARN', () => (variables()['HOLDFAST_KEY_ARN'] = SIGNING_ARN)],
    ['HOLDFAST_NODE', () => (variables()['HOLDFAST_NODE'] = '2')],
    ['Variables', () => (variables()['NODE_OPTIONS'] = '--import /tmp/x.js')],
    [
      'Variables',
      () => {
        delete variables()['HOLDFAST_SIGNING_KEY_ARN'];
        variables()['NODE_OPTIONS'] = '--import /tmp/x.js';
      },
    ],
  ])('is not asked for where somebody has changed the function (%s)', async (field, change) => {
    await planConfiguration(context, orderOf());
    change();
    const refusal = code('VAULT_FUNCTION_CHANGED', { field });
    await expect(planConfiguration(context, orderOf())).rejects.toMatchObject(refusal);
    await expect(signPlanned(context, orderOf())).rejects.toMatchObject(refusal);
    expect([...objects.keys()]).toEqual(['manifest.json']);
  });

  it('is refused with the code of the function where it is of another manifest', async () => {
    objects.set('manifest.json', Buffer.from(Buffer.from(manifest).toString().trim()));
    await expect(planConfiguration(context, orderOf())).rejects.toMatchObject(
      code('VAULT_SIGNING_REFUSED', { reason: 'CONFIGURATION_OTHER_MANIFEST' }),
    );
  });

  it('is not believed where the bucket holds nothing of it, or something else', async () => {
    await planConfiguration(context, orderOf());
    const kept = new Map(objects);
    answer = (_, own) => {
      objects = kept;
      return own;
    };
    await expect(signPlanned(context, orderOf())).rejects.toMatchObject(code('VAULT_OBJECT_DIFFERS'));
    answer = (_, own) => {
      objects.set('configurations/000001.json', Buffer.from('{}'));
      return own;
    };
    await expect(signPlanned(context, orderOf())).rejects.toMatchObject(code('VAULT_OBJECT_DIFFERS'));
  });

  it('is not there where the function cannot write it', async () => {
    await planConfiguration(context, orderOf());
    beforeWrite = () => fail('AccessDenied');
    await expect(signPlanned(context, orderOf())).rejects.toMatchObject(
      code('VAULT_SIGNING_REFUSED', { reason: 'SIGNING_UNAVAILABLE' }),
    );
    expect([...objects.keys()]).toEqual(['manifest.json']);
  });

  it.each<[string, (event: object, own: object) => unknown]>([
    ['no JSON', () => '{"ok":'],
    ['another shape', () => ({ ok: true, description: {} })],
    ['a nested bomb', () => `${'['.repeat(64)}${']'.repeat(64)}`],
    [
      'another configuration',
      (_, own) => JSON.parse(JSON.stringify(own).replaceAll(/"digest":"../g, '"digest":"00')),
    ],
  ])('is not shown from an answer with %s', async (_, made) => {
    answer = made;
    await expect(planConfiguration(context, orderOf())).rejects.toMatchObject(
      code('VAULT_SIGNING_MALFORMED'),
    );
  });

  it('is not taken from a function that has ended with an error, or with the signature of a stranger', async () => {
    await planConfiguration(context, orderOf());
    functionError = 'Unhandled';
    await expect(signPlanned(context, orderOf())).rejects.toMatchObject(
      code('VAULT_SIGNING_MALFORMED', { field: 'FunctionError' }),
    );
    functionError = undefined;
    useAuthorities(1, [stranger], [stranger]);
    const { envelope } = await signPlanned(context, orderOf());
    useAuthorities(1, []);
    journal.clear();
    await planConfiguration(context, orderOf());
    answer = () => {
      objects.set('configurations/000001.json', envelope);
      const signed = {
        envelope: Buffer.from(envelope).toString('base64'),
        key: 'configurations/000001.json',
      };
      return { ok: true, signed };
    };
    await expect(signPlanned(context, orderOf())).rejects.toMatchObject(code('VAULT_SIGNING_MALFORMED'));
  });

  it.each([
    ['as KMS signs it', ''],
    ['over its digest, where it is longer than KMS takes', ' '.repeat(5000)],
  ])('is signed %s, alone, and lies in the bucket', async (_, padding) => {
    const order = orderOf({ padding });
    const { changes } = await planConfiguration(context, order);
    const digest = sha384(await order.derive(1));
    expect(changes[0]).toBe(`  SHA-384 ${digest}`);
    const signed = await signPlanned(context, order);
    expect(signed).toMatchObject({ version: 1, digest });
    expect(open(signed.envelope).signers).toEqual([ed25519PublicKeyHex(held.publicKey)]);
    expect(objects.get('configurations/000001.json')).toEqual(Buffer.from(signed.envelope));
    // A run that was cut off before it could tell: the same again, and nothing more in the bucket.
    expect(await signIt(order)).toEqual(signed);
    expect(objects.size).toBe(2);
  });

  it('takes the version after one that was signed and never told', async () => {
    await signIt(orderOf());
    const other = orderOf({ padding: '  ' });
    const { version, changes } = await planConfiguration(context, other);
    expect(version).toBe(2);
    expect(changes[1]).toContain('against configuration 1');
    expect(await signPlanned(context, other)).toMatchObject({ version: 2 });
  });

  it('has the signature of a person too where the threshold is two, and is refused without it', async () => {
    useAuthorities(2, [person]);
    await planConfiguration(context, orderOf());
    await expect(signPlanned(context, orderOf())).rejects.toMatchObject(
      code('VAULT_AUTHORITY_MISSING', { expected: 2, actual: 0 }),
    );
    expect([...objects.keys()]).toEqual(['manifest.json']);
    useAuthorities(2, [person], [person, stranger]);
    const { envelope } = await signIt(orderOf());
    expect(new Set(open(envelope).signers)).toEqual(
      new Set([person, held].map(({ publicKey }) => ed25519PublicKeyHex(publicKey))),
    );
  });

  it('is signed by people alone where their keys are enough', async () => {
    useAuthorities(1, [person], [person]);
    const { envelope } = await signIt(orderOf());
    expect(open(envelope).signers).toEqual([ed25519PublicKeyHex(person.publicKey)]);
    expect([...objects.keys()]).toEqual(['manifest.json']);
  });
});

function variables(): Record<string, unknown> {
  return (found['Environment'] as { Variables: Record<string, unknown> }).Variables;
}
