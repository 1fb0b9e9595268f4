import { DescribeKeyCommand, ListKeysCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bootstrapParticipant,
  expectSignature,
  type ParticipantKeys,
  playCanton,
  useParticipant,
} from '../../../local/kms/canton.ts';
import { type Canton, findClient, KmsClients } from '../../../local/kms/clients.ts';
import { type Fault, FaultyProxy } from '../../../support/faulty-proxy.ts';
import { KmsStage } from './stage.ts';

const java = findClient('java');
const CREATE_KEY = 'TrentService.CreateKey';
const SIGN = 'TrentService.Sign';

let stage: KmsStage;
let proxy: FaultyProxy;
let canton: Canton;
let keys: ParticipantKeys;

const open = async (client: string, { url }: Pick<FaultyProxy, 'url'> = proxy) =>
  await new KmsClients(stage.access(client, url)).canton(java ?? '');

/** Ids of all keys that a client may use. */
async function listKeys(client: string): Promise<string[]> {
  const { Keys = [] } = await stage.client(client).send(new ListKeysCommand({}));
  return Keys.map(({ KeyId }) => KeyId ?? '');
}

/** Faults of the next requests for an operation, one after the other, and none of later ones. */
function faults(of: FaultyProxy, operation: string, ...list: readonly Fault[]): void {
  const left = [...list];
  of.decide = (target) => (target === operation ? (left.shift() ?? 'none') : 'none');
}

beforeAll(async () => {
  if (java === undefined) return;
  stage = await KmsStage.open(
    [
      {
        id: 'canton',
        change: { pool: { types: ['p256', 'p384', 'secp256k1', 'rsa-2048', 'aes-256'], aliases: [] } },
      },
      { id: 'hasty', change: { rule: { rate: { count: 1, seconds: 1 } } } },
      { id: 'barred', change: { rule: { rate: { count: 1, seconds: 3600 } } } },
    ],
    { waitSeconds: 8 },
  );
  proxy = await FaultyProxy.open(stage.gateway.endpoint);
  canton = await open('canton');
  keys = await bootstrapParticipant(canton);
});

afterAll(async () => {
  if (java === undefined) return;
  await canton.close();
  await proxy.close();
  await stage.close();
});

describe.skipIf(java === undefined)('Canton behind a door of KMS', () => {
  it('goes from its first key to a rotation', async () => {
    const inUse = await playCanton(canton, { multiRegion: false });
    expect(inUse.signing.id).not.toBe(keys.signing.id);
    const next = await canton.do('key', 'several-regions', 'signing', 'ECC_NIST_P256', 'true');
    expect(next.error).toBe('UnsupportedOperationException');
  });

  it.each<{ readonly where: string; readonly list: readonly Fault[] }>([
    { where: 'the responses to three tries are lost', list: ['lost', 'lost', 'lost'] },
    // Four tries of the SDK, and then one of Canton's own loop, which is another call of the SDK.
    {
      where: 'a response is lost, and no other try arrives',
      list: ['lost', 'dropped', 'dropped', 'dropped'],
    },
    { where: 'five responses are lost', list: ['lost', 'lost', 'lost', 'lost', 'lost'] },
    {
      where: 'five responses leave the door and nobody reads them',
      list: ['unread', 'unread', 'unread', 'unread', 'unread'],
    },
    { where: 'five tries never arrive', list: ['dropped', 'dropped', 'dropped', 'dropped', 'dropped'] },
  ])('makes one key where $where', async ({ list }) => {
    const before = await listKeys('canton');
    faults(proxy, CREATE_KEY, ...list);
    const made = await canton.do('key', 'signing-again', 'signing', 'ECC_NIST_P256', 'false');
    expect(made).toMatchObject({ tries: list.length > 3 ? 4 : 3 });
    const after = await listKeys('canton');
    expect(after.filter((id) => !before.includes(id))).toEqual([made['id']]);
  });

  it('signs what is asked for again because responses were lost', async () => {
    faults(proxy, SIGN, 'lost', 'lost');
    await expectSignature(canton, keys.signing);
    expect(proxy.seen.slice(-3).map(({ fault }) => fault)).toEqual(['lost', 'lost', 'none']);
  });

  it('goes on where the node restarts, and finds keys that were recorded by id and ARN', async () => {
    let during: Promise<void> | undefined;
    await stage.restartNode(async () => {
      during = expectSignature(canton, keys.signing);
      await Promise.resolve();
    });
    await during;
    await useParticipant(canton, keys);
    const { KeyMetadata } = await stage
      .client('canton')
      .send(new DescribeKeyCommand({ KeyId: keys.signing.id }));
    for (const reference of [keys.signing.id, KeyMetadata?.Arn ?? '']) {
      const registered = await canton.key('register', reference, 'SIGN_VERIFY');
      expect(registered.spki).toBe(keys.signing.spki);
      await expectSignature(canton, registered);
    }
  });
});

// Little but waiting: all at once.
describe.skipIf(java === undefined).concurrent('Canton behind a door of KMS', () => {
  it('is not refused where the door can wait for a rate', async ({ expect, onTestFinished }) => {
    const hasty = await open('hasty');
    onTestFinished(() => hasty.close());
    const key = await hasty.key('key', '-', 'signing', 'ECC_NIST_P256', 'false');
    for (let count = 0; count < 3; count += 1) {
      const signed = await hasty.do('sign', key.id, key.spki, key.spec, 'text');
      expect(signed).toMatchObject({ verified: true });
    }
  });

  it('is throttled where a rate is used up for long', async ({ expect, onTestFinished }) => {
    const barred = await open('barred');
    onTestFinished(() => barred.close());
    const result = await barred.do('key', '-', 'signing', 'ECC_NIST_P256', 'false');
    expect(result.error).toBe('ThrottlingException');
    expect(await listKeys('barred')).toEqual([]);
  });

  it('asks again after 30 seconds of silence', async ({ expect, onTestFinished }) => {
    const silent = await FaultyProxy.open(stage.gateway.endpoint);
    onTestFinished(() => silent.close());
    faults(silent, SIGN, 'silent');
    const patient = await open('canton', silent);
    onTestFinished(() => patient.close());
    const { id, spki, spec } = keys.namespace;
    const signed = await patient.do('sign', id, spki, spec, 'text');
    expect(signed).toMatchObject({ verified: true, tries: 1 });
    expect(silent.seen.map(({ fault }) => fault)).toEqual(['silent', 'none']);
  });
});
