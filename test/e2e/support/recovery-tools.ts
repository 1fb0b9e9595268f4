import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectNode, connectQuorum, type NodeClient, type QuorumClient } from '../../../client/index.ts';
import { waitForPeers } from '../../../local/demo/quorum-stage.ts';
import type { Program } from '../../../local/nitro-host/index.ts';
import { loadApprovers } from '../../../local/testbed/decision-configuration.ts';
import { type Identity, loadIdentity } from '../../../local/testbed/identity.ts';
import { addPools } from '../../../local/testbed/pool-configuration.ts';
import { localConfiguration } from '../../../local/testbed/local-configuration.ts';
import { CLIENT } from '../../../local/testbed/scenario.ts';
import type { ConfigurationBody2 } from '../../../local/testbed/test-node.ts';
import { TestQuorum } from '../../../local/testbed/test-quorum.ts';
import { openTestbed, type Testbed } from '../../../local/testbed/testbed.ts';
import { writeVerificationFiles, type VerificationFiles } from '../../../local/testbed/verification-files.ts';
import { errorCode } from '../../../shared/errors.ts';
import { runHoldfast } from '../../cli/in-process.ts';

const MESSAGE = Buffer.from('a transfer out of the treasury');

/** Custodians, and those who keep backups, lead drills, or have no say. */
export interface People {
  readonly custodians: string;
  readonly recoveryKey: string;
  /** Files of the words, readable by their owner alone. */
  readonly words: readonly string[];
  readonly text: readonly string[];
  readonly keeper: Identity;
  readonly stranger: Identity;
  readonly leader: Identity;
  readonly rsaKey: string;
  readonly rsaShare: string;
}

/** What a verb has said. */
export interface Said {
  readonly exit: number;
  readonly said: Readonly<Record<string, unknown>>;
  readonly code: string;
}

async function run(args: readonly string[]): Promise<Said> {
  const { exit, out, err } = await runHoldfast([...args, '--json']);
  if (exit === 2) throw new Error(`${args.join(' ')}: ${err}${out}`);
  const said = JSON.parse(out) as { ok: boolean; error?: { code: string } | string };
  const code = typeof said.error === 'string' ? said.error : (said.error?.code ?? 'TAKEN');
  return { exit, said, code };
}

/** Makes a recovery key, and plays each custodian: three with words on paper, one with an RSA key. */
export async function makeCustodians(folder: string): Promise<People> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 4096 });
  const rsaKey = join(folder, 'hsm.key');
  writeFileSync(rsaKey, rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(join(folder, 'hsm.pem'), rsa.publicKey.export({ type: 'spki', format: 'pem' }));
  const output = join(folder, 'custodians');
  const names = ['alice', 'bob', 'carol'];
  const { said } = await run([
    'ers',
    'keygen',
    '--threshold',
    '2',
    '--output',
    output,
    ...names.flatMap((name) => ['--custodian', name]),
    '--custodian',
    `hsm=${join(folder, 'hsm.pem')}`,
  ]);
  const text = names.map((name) => {
    const page = readFileSync(join(output, `${name}.html`), 'utf8');
    return [...page.matchAll(/<li><span>\d+<\/span>([a-z]+)<\/li>/g)].map(([, word = '']) => word).join(' ');
  });
  const words = text.map((words, index) => {
    const path = join(folder, `${names[index] ?? ''}.words`);
    writeFileSync(path, `${words}\n`, { mode: 0o600 });
    return path;
  });
  const identity = (name: string) => loadIdentity(join(folder, `${name}.pem`), 'ed25519');
  return {
    custodians: join(output, 'custodians.json'),
    recoveryKey: String(said['publicKey']),
    words,
    text,
    keeper: await identity('keeper'),
    stranger: await identity('stranger'),
    leader: await identity('leader'),
    rsaKey,
    rsaShare: join(output, 'hsm.share'),
  };
}

/** Three nodes in three accounts whose keys need a kept backup, and those who run them by the command. */
export class Vault {
  readonly #testbed: Testbed;
  readonly #quorum: TestQuorum;
  readonly #folder: string;
  readonly #people: People;
  #files = new Map<number, VerificationFiles>();
  #pcrs: ReadonlyMap<number, Uint8Array> = new Map();
  #clients: QuorumClient[] = [];

  private constructor(testbed: Testbed, quorum: TestQuorum, folder: string, people: People) {
    this.#testbed = testbed;
    this.#quorum = quorum;
    this.#folder = folder;
    this.#people = people;
  }

  static async open(
    folder: string,
    { program, people, namespace }: { program: Program; people: People; namespace: string },
  ): Promise<Vault> {
    const testbed = await openTestbed({ stateDirectory: folder });
    const { recoveryKey } = people;
    const quorum = await TestQuorum.open(testbed, {
      size: 3,
      threshold: 2,
      program: program.folder,
      namespace,
      recoveryKey,
    });
    const vault = new Vault(testbed, quorum, folder, people);
    vault.#pcrs = await testbed.host.measure(program.folder);
    await vault.#configure();
    return vault;
  }

  async #configure(): Promise<void> {
    const approvers = await loadApprovers(join(this.#folder, 'approvers'));
    for (const { node, testNode } of this.#quorum.members) {
      await testNode.allow(this.#pcrs, { initialise: true });
      const others = this.#quorum.members
        .filter((each) => each.node !== node)
        .map((each) => ({ node: each.node, manifestBytes: each.testNode.manifestBytes }));
      const base = localConfiguration({
        member: testNode,
        others,
        pcrs: this.#pcrs,
        clientId: CLIENT,
        approvers,
      });
      await testNode.configure(requireBackups(base, this.#people.keeper.publicKey, testNode.client));
      const files = await writeVerificationFiles(
        join(this.#folder, `files-${node}`),
        this.#testbed,
        testNode,
        this.#pcrs,
      );
      this.#files.set(node, files);
    }
  }

  /** Public key of the authority that rules the first node. */
  get authority(): string {
    return this.#quorum.member(1).testNode.authority.identity.publicKey;
  }

  async start(): Promise<void> {
    // One after another: none waits for the others, and a busy machine starts three at once too slowly.
    for (const { node } of this.#quorum.members) {
      const { code } = await this.#quorum.start(node);
      if (code !== null) throw new Error(`node ${node} does not start: ${code}`);
    }
    await this.#client();
  }

  async restart(node: number): Promise<void> {
    await this.#quorum.stop(node);
    await this.#quorum.start(node);
    await this.#client();
  }

  #connections() {
    return this.#quorum.members.map(({ node, testNode }) => ({
      url: this.#quorum.running.get(node)?.url ?? 'https://127.0.0.1:1',
      trust: {
        root: this.#testbed.host.rootCertificate,
        pcrs: this.#pcrs,
        manifest: testNode.manifestBytes,
      },
      clientId: CLIENT,
      privateKey: testNode.client.privateKey,
      timeoutMs: 30_000,
    }));
  }

  /** Connects to the first node alone. */
  async connectFirst(): Promise<NodeClient> {
    const [first] = this.#connections();
    if (first === undefined) throw new RangeError('expected a node');
    return await connectNode(first);
  }

  /** Reads what a node's parent says to its operator: the code of its status, and which alerts its metrics raise. */
  async readAlerts(node: number): Promise<{ readonly code: string | null; readonly raised: string[] }> {
    const parent = this.#quorum.running.get(node)?.parent;
    const text = await (await fetch(`${parent?.statusUrl ?? ''}/metrics`)).text();
    const raised = [...text.matchAll(/^holdfast_node_alert\{code="([A-Z_]+)"\} 1$/gm)];
    return { code: parent?.node?.code ?? null, raised: raised.map(([, code = '']) => code) };
  }

  async #client(): Promise<QuorumClient> {
    const nodes = this.#connections();
    for (const node of nodes) {
      const single = await connectQuorum({ nodes: [node] });
      this.#clients.push(single);
      await waitForPeers(single);
    }
    const client = await connectQuorum({ nodes });
    this.#clients.push(client);
    return client;
  }

  async generate(key: string): Promise<string> {
    const client = await this.#client();
    const { ceremony } = await client.generate(key);
    return (await client.waitFor(ceremony)).publicKey ?? '';
  }

  async refresh(key: string): Promise<void> {
    const client = await this.#client();
    const { ceremony } = await client.refresh(key);
    await client.waitFor(ceremony);
  }

  /** Has the quorum sign; the signature in hex, or the code of the refusal. */
  async sign(key: string): Promise<string> {
    const client = await this.#client();
    const payload = { kind: 'message', message: MESSAGE.toString('hex') } as const;
    return await client.sign({ key, algorithm: 'frost-ed25519', payload }).then(
      ({ signature }) => signature,
      (error: unknown) => errorCode(error),
    );
  }

  /** Runs a verb as the client of a node. */
  async cli(node: number, args: readonly string[]): Promise<Said> {
    const { testNode } = this.#quorum.member(node);
    const files = this.#files.get(node);
    return await run([
      ...args,
      '--url',
      this.#quorum.running.get(node)?.url ?? '',
      '--pcrs',
      files?.pcrs ?? '',
      '--root',
      files?.root ?? '',
      '--manifest',
      files?.manifest ?? '',
      '--client',
      CLIENT,
      '--key',
      testNode.client.path,
    ]);
  }

  async backUp(node: number, key: string, output: string): Promise<string> {
    const { said } = await this.cli(node, ['ers', 'backup', key, '--output', output]);
    const [first] = said['backups'] as { path: string }[];
    return first?.path ?? '';
  }

  #trust(): string[] {
    const files = [...this.#files.values()];
    return [
      '--pcrs',
      files[0]?.pcrs ?? '',
      '--root',
      files[0]?.root ?? '',
      ...files.flatMap(({ manifest }) => ['--manifest', manifest]),
    ];
  }

  async verifyBackups(paths: readonly string[]): Promise<Said> {
    return await run(['ers', 'verify', ...paths.flatMap((path) => ['--backup', path]), ...this.#trust()]);
  }

  /** Has somebody acknowledge a backup to a node; the node's code, or TAKEN. */
  async acknowledge(node: number, backup: string, by: Identity): Promise<string> {
    const output = join(this.#folder, `${node}.acknowledgement`);
    const signed = await run([
      'ers',
      'acknowledge',
      '--backup',
      backup,
      '--signer',
      by.path,
      '--output',
      output,
      ...this.#trust(),
    ]);
    if (signed.exit !== 0) return signed.code;
    return (await this.cli(node, ['ers', 'submit', output])).code;
  }

  async recover(
    key: string,
    backups: readonly string[],
    shares: readonly string[],
    rest: readonly string[],
  ): Promise<string> {
    const { code } = await run([
      'ers',
      'recover',
      key,
      ...backups.flatMap((path) => ['--backup', path]),
      ...shares.flatMap((path) => ['--share', path]),
      ...this.#trust(),
      ...rest,
    ]);
    return code;
  }

  async drill(backups: readonly string[], people: People, output: string): Promise<Said> {
    return await run([
      'ers',
      'drill',
      ...backups.flatMap((path) => ['--backup', path]),
      ...people.words.slice(0, 2).flatMap((path) => ['--share', path]),
      '--custodians',
      people.custodians,
      '--signer',
      people.leader.path,
      '--output',
      output,
      ...this.#trust(),
    ]);
  }

  async verifyDrill(record: string, leader: string): Promise<Said> {
    return await run(['ers', 'verify', '--drill', record, '--leader', leader]);
  }

  /** Keeps the attestation document of a node, as it is carried to the offline machine. */
  async attest(node: number, output: string): Promise<string> {
    const files = this.#files.get(node);
    await run([
      'node',
      'attest',
      '--output',
      output,
      '--url',
      this.#quorum.running.get(node)?.url ?? '',
      '--pcrs',
      files?.pcrs ?? '',
      '--root',
      files?.root ?? '',
      '--manifest',
      files?.manifest ?? '',
    ]);
    return output;
  }

  importOptions(document: string, authority = this.authority): string[] {
    const files = this.#files.get(1);
    return [
      '--import-for',
      document,
      '--import-pcrs',
      files?.pcrs ?? '',
      '--import-manifest',
      files?.manifest ?? '',
      '--import-root',
      files?.root ?? '',
      '--import-authority',
      authority,
    ];
  }

  /** Ends all nodes; their stores and secrets are not looked at any more. */
  async loseEverything(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#clients = [];
    await this.#quorum.stopAll();
  }

  async close(): Promise<void> {
    await this.loseEverything();
    await this.#quorum.close();
    await this.#testbed.close();
  }
}

/** Pool of the node, and its whole keys: of each type that there is, the two of Ed25519 apart by their names. */
export const POOL = 'desk';
export const WHOLE = ['ethereum-hot', 'solana-hot', 'audit-log', 'archive', 'validator'] as const;
/** What a key that needs a backup moves without one, in wei. */
export const UNCOVERED = 10n ** 16n;

/** Has signatures of the treasury, of the key that pays and of the pool need a backup that the keeper has acknowledged. */
function requireBackups(
  base: ConfigurationBody2,
  keeper: string,
  client: Pick<Identity, 'publicKey'>,
): ConfigurationBody2 {
  const [template] = base.rules;
  if (template === undefined || template.effect !== 'permit') throw new Error('expected a permit');
  const withPool = addPools(base, [{ id: CLIENT, publicKey: client.publicKey, pool: POOL }]);
  const added = ['archive', 'validator'];
  return {
    ...withPool,
    keys: [
      ...base.keys,
      { id: 'archive', type: 'p384', networks: [] },
      { id: 'validator', type: 'bls12-381', networks: [] },
    ],
    ...(base.quorum && {
      quorum: { ...base.quorum, servesAlone: [...base.quorum.servesAlone, ...added, POOL] },
    }),
    approvers: [...base.approvers, { id: 'keeper', credentials: [{ type: 'ed25519', publicKey: keeper }] }],
    approverGroups: [...base.approverGroups, { id: 'keepers', approvers: ['keeper'] }],
    recovery: {
      required: ['treasury', 'ethereum-hot', POOL],
      keepers: 'keepers',
      maxUncovered: [{ asset: 'eip155:1/slip44:60', max: String(UNCOVERED), seconds: 86_400 }],
      graceSeconds: 0,
    },
    rules: [
      ...withPool.rules,
      {
        ...template,
        id: 'backups',
        operations: ['backup'],
        clients: [CLIENT],
        keys: ['treasury', 'treasury-bitcoin', ...WHOLE, POOL],
        rate: null,
      },
    ],
  };
}

/** Whether a signature over the message verifies, by OpenSSL. */
export function verifies(signature: string, publicKey: string): boolean {
  if (!/^[0-9a-f]{128}$/.test(signature)) return false;
  const x = Buffer.from(publicKey, 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, MESSAGE, key, Buffer.from(signature, 'hex'));
}
