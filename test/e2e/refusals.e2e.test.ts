import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BOOT_ATTACKS } from '../../local/attacks/boot-attacks.ts';
import { attemptWithKms, KMS_ATTACKS } from '../../local/attacks/kms-attacks.ts';
import { askSession, sendRaw } from '../../local/attacks/raw-request.ts';
import { makeRequest, REQUEST_ATTACKS, type ServingNode } from '../../local/attacks/request-attacks.ts';
import { Scenario } from '../../local/testbed/scenario.ts';
import { unsafeParseAttestationDocument } from '../../attestation/index.ts';
import { encryptionContext } from '../../shared/documents/encryption-context.ts';
import { encryptForRecipient } from '../support/cms.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let directory: string;
let scenario: Scenario;

beforeAll(async () => {
  directory = temporaryFolder();
  scenario = await Scenario.open(directory);
  await scenario.assertServes();
  // From now on the key policy allows no GenerateDataKey.
  await scenario.testNode.allow(scenario.pcrs);
  await scenario.testNode.configure(scenario.configuration(2));
  await scenario.assertServes();
});

afterAll(async () => {
  await scenario.close();
});

const named = <T extends { attack: string }>(attacks: readonly T[]) =>
  attacks.map((attack) => [attack.attack, attack] as const);

const answerSchema = z.object({ signature: z.string() });

describe('a node refuses to start on', () => {
  it.each(named([...BOOT_ATTACKS, ...KMS_ATTACKS]))('%s', async (_, { attempt, code }) => {
    expect(await attempt(scenario)).toBe(code);
    expect(await scenario.attempt(), 'the honest parent is served as before').toBe('SERVING');
  });

  it('an encryption context of its parent, and asks KMS in that of its manifest', async () => {
    for (const type of ['manifest', 'configuration', 'store-read']) {
      const code = await scenario.attempt({
        onControl: async ({ request, honest }) => {
          const answer = await honest();
          if (request.type !== type) return answer;
          return Object.assign(answer, { encryptionContext: { 'holdfast:node': '2' } });
        },
      });
      expect(code).toBe('CONTROL_ANSWER_INVALID');
    }
    const requests: unknown[] = [];
    await attemptWithKms(scenario, true, (request) => requests.push(request));
    const { manifest, keyArn: KeyId } = scenario.testNode;
    const EncryptionContext = encryptionContext(manifest, 'encryptor-master-password');
    expect(requests).not.toEqual([]);
    for (const request of requests) expect(request).toMatchObject({ KeyId, EncryptionContext });
  });

  it('an answer of another key', async () => {
    const code = await attemptWithKms(scenario, true, (request) => ({
      KeyId: scenario.testNode.keyArn.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      CiphertextForRecipient: sealFor(request, Buffer.alloc(32, 1)),
    }));
    expect(code).toBe('KMS_KEY_MISMATCH');
  });

  it('a password that was valid once, or that an attacker has made', async () => {
    const code = await attemptWithKms(scenario, true, (request) => ({
      KeyId: scenario.testNode.keyArn,
      CiphertextForRecipient: sealFor(request, Buffer.alloc(32, 1)),
    }));
    expect(code).toBe('STORE_ROOT_UNREADABLE');
  });

  it('a CiphertextForRecipient with bytes behind it', async () => {
    const code = await attemptWithKms(scenario, true, (request) => ({
      KeyId: scenario.testNode.keyArn,
      CiphertextForRecipient: Buffer.concat([
        Buffer.from(sealFor(request, Buffer.alloc(32, 1)), 'base64'),
        Buffer.of(0),
      ]).toString('base64'),
    }));
    expect(code).toBe('CMS_MALFORMED');
  });

  it('a store rolled back as a whole, when its configuration was replaced since', async () => {
    const old = scenario.store.snapshot();
    await scenario.testNode.configure(scenario.configuration(3));
    expect(await scenario.attempt()).toBe('SERVING');
    // The root record of version 2 takes version 3 again, and nothing of version 2: that is all that can be seen here.
    await scenario.testNode.configure(scenario.configuration(2));
    expect(await scenario.attempt()).toBe('CONFIGURATION_ROLLED_BACK');
    scenario.store.restore(old);
    expect(await scenario.attempt()).toBe('SERVING');
  });

  it('one record rolled back beside the others', async () => {
    const session = await scenario.store.open();
    const root = await session.read({ table: 'store', id: 'root' });
    await session.close();
    expect(await scenario.attempt()).toBe('SERVING');
    const code = await scenario.attempt({
      onControl: async ({ request, honest }) => {
        const answer = await honest();
        if (answer.type !== 'store-read' || request.type !== 'store-read' || request.id !== 'root')
          return answer;
        // An old root under the new revision: its seal names the revision that it was written at.
        return {
          ...answer,
          record: root === null || answer.record === null ? null : { ...answer.record, bytes: root.bytes },
        };
      },
    });
    expect(code).toBe('STORE_ROOT_UNREADABLE');
  });

  it('an unreachable KMS, and every answer of the parent that hangs up', async () => {
    expect(await scenario.attempt({ onEgress: () => ({ refuse: 'DNS_FAILED' }) })).toBe('KMS_UNREACHABLE');
    expect(await scenario.attempt({ onEgress: () => 'hang-up' })).toBe('KMS_UNREACHABLE');
  });

  it('a credentials answer in place of the manifest', async () => {
    const code = await scenario.attempt({
      onControl: ({ request, honest }) =>
        request.type === 'manifest' ? honest({ type: 'credentials' }) : honest(),
    });
    expect(code).toBe('CONTROL_ANSWER_INVALID');
  });

  it('a configuration for another manifest of the same authority', async () => {
    const other = await scenario.beside(3);
    const bytes = other.testNode.sign(other.configuration(9));
    const code = await scenario.attempt({
      onControl: ({ request, honest }) =>
        request.type === 'configuration' ? { type: 'configuration', bytes } : honest(),
    });
    expect(code).toBe('CONFIGURATION_OTHER_MANIFEST');
  });

  it('the same version with another content', async () => {
    const changed = scenario.testNode.sign({ ...scenario.configuration(2), rules: [] });
    const code = await scenario.attempt({
      onControl: ({ request, honest }) =>
        request.type === 'configuration' ? { type: 'configuration', bytes: changed } : honest(),
    });
    expect(code).toBe('CONFIGURATION_CONFLICT');
  });

  it('a key that the configuration pins and the store does not hold', async () => {
    const body = scenario.configuration(20);
    const pinned = scenario.testNode.sign({
      ...body,
      keys: [...body.keys, { id: 'lost', type: 'ed25519', publicKey: 'ab'.repeat(32) }],
    });
    const code = await scenario.attempt({
      onControl: ({ request, honest }) =>
        request.type === 'configuration' ? { type: 'configuration', bytes: pinned } : honest(),
    });
    expect(code).toBe('KEY_MISSING');
  });

  it('an order to initialise that has expired', async () => {
    const other = await scenario.beside(4);
    const body = other.configuration(1, 'late');
    if (body.initialise === undefined) throw new TypeError('no order');
    await other.testNode.configure({
      ...body,
      initialise: { ...body.initialise, notAfter: '2020-01-01T00:00:00Z' },
    });
    expect(await other.attempt()).toBe('INITIALISATION_EXPIRED');
  });

  it('a supplied password that is not there, or not of this key', async () => {
    const other = await scenario.beside(5);
    const body = other.configuration(1, 'supplied');
    if (body.initialise === undefined) throw new TypeError('no order');
    await other.testNode.configure({ ...body, initialise: { ...body.initialise, password: 'supplied' } });
    expect(await other.attempt()).toBe('PASSWORD_MISSING');
    const secrets = { get: () => Promise.resolve(Buffer.alloc(180, 2)) };
    expect(await other.attempt({ parent: { secrets } })).toBe('KMS_INVALID_CIPHERTEXT');
  });
});

describe('a node that serves', () => {
  let node: ServingNode & { stop(): Promise<void> };

  beforeAll(async () => {
    const started = await scenario.start();
    node = {
      testNode: scenario.testNode,
      url: started.url,
      session: await askSession(started.url),
      stop: () => started.stop(),
    };
  });
  afterAll(() => node.stop());

  it.each(named(REQUEST_ATTACKS))('refuses %s and serves on', async (_, { attempt, code }) => {
    expect(await attempt(node)).toBe(code);
    const answer = await sendRaw(node.url, makeRequest(node));
    expect(answer.status).toBe(200);
    expect(answerSchema.safeParse(answer.body).success).toBe(true);
  });

  it('takes no signature that names two clients', async () => {
    const request = makeRequest(node);
    const doubled = {
      ...request.headers,
      'signature-input': `${request.headers?.['signature-input']}, b=()`,
    };
    const answer = await sendRaw(node.url, { ...request, headers: doubled });
    expect(answer).toEqual({ status: 401, body: { error: 'SIGNATURE_MALFORMED' } });
  });
});

/** A CiphertextForRecipient as KMS would make it, for whatever the attacker likes to put into it. */
function sealFor(request: unknown, plaintext: Uint8Array): string {
  const { Recipient } = z.object({ Recipient: z.object({ AttestationDocument: z.string() }) }).parse(request);
  const { payload } = unsafeParseAttestationDocument(Buffer.from(Recipient.AttestationDocument, 'base64'));
  return Buffer.from(encryptForRecipient(payload.publicKey ?? new Uint8Array(), plaintext)).toString(
    'base64',
  );
}
