import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatPcrFile } from '../../attestation/index.ts';
import { connectQuorum, type QuorumClient } from '../../client/index.ts';
import { waitForAllPeers } from '../../local/demo/quorum-stage.ts';
import { createMemoryStore, type MemoryStore } from '../../local/hostile-parent/index.ts';
import { copyProgram, type Program } from '../../local/nitro-host/index.ts';
import { loadApprovers } from '../../local/testbed/decision-configuration.ts';
import { openTestbed, type Testbed } from '../../local/testbed/index.ts';
import { localConfiguration } from '../../local/testbed/local-configuration.ts';
import { CLIENT } from '../../local/testbed/scenario.ts';
import { TestQuorum } from '../../local/testbed/test-quorum.ts';
import { runHoldfast } from '../cli/in-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const KEY = 'treasury';
const CEREMONY = 'https://holdfast.invalid/ceremony/v1';

let program: Program;
let testbed: Testbed;
let quorum: TestQuorum;
let client: QuorumClient;
let pcrs: ReadonlyMap<number, Uint8Array>;
const stores = new Map<number, MemoryStore>();

interface Statement {
  readonly predicateType: string;
  readonly subject: readonly { readonly digest: { readonly sha256?: string } }[];
  readonly predicate: Record<string, unknown>;
}

const entriesOf = (node: number): Statement[] =>
  (stores.get(node)?.snapshot().entries.kept ?? []).map(
    (bytes) => JSON.parse(Buffer.from(bytes).toString()) as Statement,
  );

beforeAll(async () => {
  program = await copyProgram();
  testbed = await openTestbed({ stateDirectory: temporaryFolder() });
  quorum = await TestQuorum.open(testbed, { size: 3, threshold: 2, program: program.folder });
  pcrs = await testbed.host.measure(program.folder);
  const approvers = await loadApprovers(join(testbed.stateDirectory, 'approvers'));
  for (const { node, testNode } of quorum.members) {
    stores.set(node, createMemoryStore());
    await testNode.allow(pcrs, { initialise: true });
    const others = quorum.members
      .filter((each) => each.node !== node)
      .map((each) => ({ node: each.node, manifestBytes: each.testNode.manifestBytes }));
    await testNode.configure(
      localConfiguration({ member: testNode, others, pcrs, clientId: CLIENT, approvers }),
    );
  }
  await quorum.startAll((node) => ({
    parent: (honest) => ({ ...honest, store: stores.get(node) ?? honest.store }),
  }));
  const nodes = quorum.members.map(({ node, testNode }) => ({
    url: quorum.running.get(node)?.url ?? '',
    trust: { root: testbed.host.rootCertificate, pcrs, manifest: testNode.manifestBytes },
    clientId: CLIENT,
    privateKey: testNode.client.privateKey,
    timeoutMs: 30_000,
  }));
  await waitForAllPeers(nodes);
  client = await connectQuorum({ nodes });
});

afterAll(async () => {
  client.close();
  await quorum.stopAll();
  await testbed.close();
  await program.remove();
});

it('leaves transcripts that verify offline, each in the log of every node', async () => {
  const folder = temporaryFolder();
  const save = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const digests: string[] = [];
  for (const act of ['generate', 'refresh'] as const) {
    const { ceremony } = await client[act](KEY);
    const { transcript, epoch } = await client.waitFor(ceremony);
    digests.push(transcript ?? '');
    save(`${epoch}.transcript`, await client.transcript(KEY, epoch));
  }
  const manifests = quorum.members.map(({ node, testNode }) => save(`${node}.json`, testNode.manifestBytes));
  const trusted = [
    '--pcrs',
    save('pcr.json', formatPcrFile(pcrs)),
    '--root',
    save('root.der', testbed.host.rootCertificate),
  ];
  const verify = async (args: readonly string[], accepted = manifests) => {
    const { out } = await runHoldfast([
      'quorum',
      'transcript',
      'verify',
      ...args,
      ...trusted,
      '--json',
      ...accepted.flatMap((manifest) => ['--manifest', manifest]),
    ]);
    return JSON.parse(out) as Record<string, unknown>;
  };
  const [first, second] = [join(folder, '1.transcript'), join(folder, '2.transcript')];
  expect(await verify([first])).toMatchObject({ ok: true, operation: 'generate', transcript: digests[0] });
  expect(await verify([second, '--after', first])).toMatchObject({
    ok: true,
    operation: 'refresh',
    transcript: digests[1],
    after: [{ key: KEY, epoch: 1 }],
  });
  expect(await verify([first], manifests.slice(1))).toMatchObject({
    ok: false,
    error: { code: 'CEREMONY_DOCUMENT_WRONG' },
  });
  for (const node of [1, 2, 3]) {
    const ceremonies = entriesOf(node).filter(({ predicateType }) => predicateType === CEREMONY);
    expect(ceremonies.map(({ subject }) => subject[0]?.digest.sha256)).toEqual(digests);
    expect(ceremonies[1]?.predicate).toMatchObject({
      operation: 'refresh',
      holders: [1, 2, 3],
      threshold: 2,
      keys: [{ key: KEY, epoch: 2 }],
    });
  }
});
