import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EncryptCommand, GetKeyPolicyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNode } from '../../client/index.ts';
import { deriveStoreKey, SealedStore } from '../../enclave/store/index.ts';
import { DEMO_KEYS, CLIENT, Scenario } from '../../local/testbed/scenario.ts';
import { DEMO_SIGNATURES, signAndVerify } from '../../local/demo/signatures.ts';
import type { StartedNode } from '../../local/testbed/index.ts';
import { createJsonLog, createSqliteStore } from '../../parent/index.ts';
import { encryptionContext } from '../../shared/documents/encryption-context.ts';
import { findInMemory, findSecrets, type Needle } from '../support/secret-search.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let directory: string;
let snapshots: string;
let scenario: Scenario;
/** No zero bytes: V8 writes a string into its heap snapshot up to the first one only, and the planted one must be found. */
const password = randomBytes(48).map((byte) => byte || 1);
const consoleLines: string[] = [];
const PASSWORD = 'the Encryptor Master Password';

beforeAll(async () => {
  directory = temporaryFolder();
  snapshots = temporaryFolder();
  scenario = await Scenario.open(directory);
  const { testNode } = scenario;
  await testNode.allow(scenario.pcrs);
  await allowEncrypt();
  const encrypted = await testNode.admin.kms.send(
    new EncryptCommand({
      KeyId: testNode.keyArn,
      Plaintext: password,
      EncryptionContext: encryptionContext(testNode.manifest, 'encryptor-master-password'),
    }),
  );
  const blob = encrypted.CiphertextBlob ?? new Uint8Array();
  await writeFile(join(testNode.secretsDirectory, 'encryptor-master-password'), blob);
  const { initialise, ...body } = scenario.configuration(1, 'supplied');
  if (initialise === undefined) throw new TypeError('no order');
  await testNode.configure({ ...body, initialise: { ...initialise, password: 'supplied' } });
});

afterAll(async () => {
  await scenario.close();
});

/** No policy of a node lets anybody choose its password; this test has to know it. */
async function allowEncrypt(): Promise<void> {
  const { admin, keyArn: KeyId } = scenario.testNode;
  const { kms } = admin;
  const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
  const policy = JSON.parse(Policy) as { Statement: { Sid: string; Principal: object }[] };
  const { Principal } = policy.Statement.find(({ Sid }) => Sid === 'Administration') ?? {};
  const statement = {
    Sid: 'KnownPassword',
    Effect: 'Allow',
    Principal,
    Action: 'kms:Encrypt',
    Resource: '*',
  };
  const Statement = [...policy.Statement, statement];
  await kms.send(
    new PutKeyPolicyCommand({
      KeyId,
      PolicyName: 'default',
      Policy: JSON.stringify({ ...policy, Statement }),
    }),
  );
}

function start(program?: string): Promise<StartedNode> {
  return scenario.start({
    launch: {
      ...(program === undefined ? {} : { program }),
      nodeOptions: ['--heapsnapshot-signal=SIGUSR2', `--diagnostic-dir=${snapshots}`],
      onConsole: (line) => consoleLines.push(line),
    },
    parent: {
      store: createSqliteStore(scenario.testNode.storePath),
      log: createJsonLog((line) =>
        appendFileSync(join(scenario.testNode.directory, 'parent.log'), `${line}\n`),
      ),
    },
  });
}

/** The strings of a V8 heap snapshot of the enclave, taken now. */
async function takeHeapSnapshot({ enclave }: StartedNode): Promise<Buffer> {
  const before = new Set(await readdir(snapshots));
  process.kill(enclave.pid, 'SIGUSR2');
  for (;;) {
    await sleep(100);
    const name = (await readdir(snapshots)).find((each) => !before.has(each));
    if (name === undefined) continue;
    const strings = readStrings(await readFile(join(snapshots, name), 'utf8'));
    if (strings !== undefined) return Buffer.from(strings.join('\n'), 'utf8');
  }
}

/** Strings of a heap snapshot; undefined while it is being written. */
function readStrings(text: string): string[] | undefined {
  try {
    return (JSON.parse(text) as { strings: string[] }).strings;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Everything below the node's folder: what its parent was given and what it wrote. */
async function readParentFiles(): Promise<Buffer> {
  const entries = await readdir(scenario.testNode.directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  expect(files.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['store.sqlite', 'parent.log', 'manifest.json', 'configuration.json']),
  );
  return Buffer.concat(
    await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name)))),
  );
}

/** The password, the store's key, and the private keys as the store holds them. */
async function collectNeedles(): Promise<Needle[]> {
  const key = deriveStoreKey(password, scenario.testNode.manifest);
  const session = await createSqliteStore(scenario.testNode.storePath).open();
  const store = await SealedStore.open(
    {
      readRecord: (place) => session.read(place),
      listRecords: () => session.list(),
      commit: (writes) => session.commit(writes),
    },
    key,
  );
  const needles: Needle[] = [
    { name: PASSWORD, bytes: password },
    { name: "the store's key", bytes: key.export() },
  ];
  for (const { id } of DEMO_KEYS) {
    const sealed = await store.read({ table: 'keys', id });
    if (sealed === null) throw new TypeError('no key');
    // Version and type come before the secret.
    needles.push({ name: `the private key ${id}`, bytes: sealed.subarray(2) });
  }
  await session.close();
  return needles;
}

async function useAllKeys(node: StartedNode): Promise<void> {
  const { testNode, testbed, pcrs } = scenario;
  const trust = { root: testbed.host.rootCertificate, pcrs, manifest: testNode.manifestBytes };
  const client = await connectNode({
    url: node.url,
    trust,
    clientId: CLIENT,
    privateKey: testNode.client.privateKey,
  });
  for (const signature of DEMO_SIGNATURES) await signAndVerify(client, signature);
  client.close();
}

describe('the secrets of an unlocked node', () => {
  it('are in no string of its heap, no line of its console, and no file of its parent', async () => {
    const node = await start();
    expect(node.code).toBeNull();
    await useAllKeys(node);
    const heap = await takeHeapSnapshot(node);
    const inMemory = findInMemory(node.enclave.pid, [{ name: PASSWORD, bytes: password }]);
    await node.stop();
    const needles = await collectNeedles();
    expect(needles).toHaveLength(2 + DEMO_KEYS.length);
    expect(heap.length).toBeGreaterThan(100_000);
    expect(findSecrets(heap, needles)).toEqual([]);
    expect(findSecrets(Buffer.from(consoleLines.join('\n')), needles)).toEqual([]);
    expect(findSecrets(await readParentFiles(), needles)).toEqual([]);
    // The password is cleared once the store's key is derived: it is nowhere in the process any more.
    expect(inMemory).toEqual([]);
  });

  it.each([
    ['hex', "Buffer.from(password).toString('hex')"],
    ['base64', "Buffer.from(password).toString('base64')"],
    ['raw', "Buffer.from(password).toString('latin1')"],
  ])('would be found if the code kept them: %s', async (_, expression) => {
    const program = await scenario.changedProgram('enclave/boot/unlock-store.ts', (code) =>
      code.replace(
        'return { storeKey: deriveStoreKey(password, manifest)',
        `(globalThis as { planted?: unknown }).planted = { kept: ${expression} };
         process.stdout.write(\`\${(globalThis as unknown as { planted: { kept: string } }).planted.kept}\\n\`);
         (globalThis as { copy?: unknown }).copy = new Uint8Array(password);
         return { storeKey: deriveStoreKey(password, manifest)`,
      ),
    );
    await scenario.testNode.allow(await scenario.testbed.host.measure(program));
    consoleLines.length = 0;
    const node = await start(program);
    expect(node.code).toBeNull();
    const heap = await takeHeapSnapshot(node);
    const needles = [{ name: PASSWORD, bytes: password }];
    const inMemory = findInMemory(node.enclave.pid, needles);
    await node.stop();
    expect(findSecrets(heap, needles)).toEqual([PASSWORD]);
    expect(findSecrets(Buffer.from(consoleLines.join('\n')), needles)).toEqual([PASSWORD]);
    expect(inMemory).toEqual([PASSWORD]);
  });

  it('would be found in a file', async () => {
    const needles = await collectNeedles();
    for (const needle of needles) {
      for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) {
        const text = `{"x":"${Buffer.from(needle.bytes).toString(encoding)}"}`;
        expect(findSecrets(Buffer.from(text, encoding === 'latin1' ? 'latin1' : 'utf8'), needles)).toEqual([
          needle.name,
        ]);
      }
    }
  });
});
