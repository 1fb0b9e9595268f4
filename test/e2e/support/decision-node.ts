import { connectNode, NodeRefusal, ClientError, type NodeClient } from '../../../client/index.ts';
import { type Identity, loadIdentity } from '../../../local/testbed/identity.ts';
import type { StartedNode } from '../../../local/testbed/index.ts';
import { CLIENT, Scenario, type StartOptions } from '../../../local/testbed/scenario.ts';
import { type ApprovalStatement, encodeStatement } from '../../../policy/approvals/index.ts';
import {
  type PendingRequestDocument,
  reviewResponseSchema,
  voteResponseSchema,
} from '../../../shared/api/requests.ts';
import {
  CONFIGURATION_FORMAT_2,
  type ConfigurationDocument2,
  type PermitRule,
} from '../../../shared/documents/configuration.ts';
import { codeOf as codeOfResponse, sendRaw } from '../../../local/attacks/raw-request.ts';
import { KeyHolder } from '../../policy/approvals/people.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { UNLIMITED } from '../../../shared/documents/configuration/rules.ts';

export const ETHEREUM = 'eip155:1';
export const BITCOIN = 'bip122:000000000019d6689c085ae165831e93';
export const SOLANA = 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp';
export const TEZOS = 'tezos:NetXdQprcVkpaWU';
export const ETHER = `${ETHEREUM}/slip44:60`;

const HOUR_MS = 3_600_000;

type Body = Omit<ConfigurationDocument2, 'manifest'>;

/** Makes a rule that permits transfers of one key, to anybody unless `changes` says otherwise. */
export function permitTransfers(
  id: string,
  key: string,
  payload: PermitRule['payloads'][number],
  changes: Partial<PermitRule> = {},
): PermitRule {
  return {
    id,
    effect: 'permit',
    operations: ['sign'],
    clients: [CLIENT],
    keys: [key],
    algorithms: ['ecdsa-secp256k1'],
    payloads: [payload],
    ...UNLIMITED,
    effects: [{ type: 'transfer', to: null, assets: null, contracts: null, amount: null }],
    ...changes,
  };
}

/** People, and a node whose rules ask for them. */
export class DecisionNode {
  readonly scenario: Scenario;
  readonly alice = new KeyHolder('alice');
  readonly bob = new KeyHolder('bob');
  readonly carol = new KeyHolder('carol');
  /** The person behind {@link CLIENT}. */
  readonly erin = new KeyHolder('erin');
  readonly desk: Identity;
  /** Folder of the parent's log. */
  readonly log = temporaryFolder();
  node: StartedNode | undefined;
  readonly #clients: NodeClient[] = [];

  private constructor(scenario: Scenario, desk: Identity) {
    this.scenario = scenario;
    this.desk = desk;
  }

  /** Opens a scenario whose configuration has keys and rules given here. */
  static async open(
    keys: Body['keys'],
    rules: Body['rules'],
    parts: Partial<Body> = {},
  ): Promise<DecisionNode> {
    const folder = temporaryFolder();
    const scenario = await Scenario.open(folder);
    const place = new DecisionNode(scenario, await loadIdentity(`${folder}/desk.pem`, 'ed25519'));
    await scenario.testNode.configure({
      format: CONFIGURATION_FORMAT_2,
      version: 1,
      initialise: {
        id: 'initialise-1',
        notAfter: new Date(Date.now() + HOUR_MS).toISOString(),
        password: 'generated',
      },
      clients: [
        { id: CLIENT, publicKey: scenario.testNode.client.publicKey, person: 'erin' },
        { id: 'desk', publicKey: place.desk.publicKey, person: null },
      ],
      clientGroups: [],
      keys,
      approvers: [place.alice, place.bob, place.carol, place.erin].map(({ id, publicKey }) => ({
        id,
        credentials: [{ type: 'ed25519', publicKey }],
      })),
      approverGroups: [{ id: 'treasury', approvers: ['alice', 'bob', 'carol', 'erin'] }],
      addressBooks: [],
      witnesses: null,
      rules,
      ...parts,
    });
    return place;
  }

  async start(options: StartOptions = {}): Promise<StartedNode> {
    const auditLog = { directory: this.log, witnesses: [] };
    this.node = await this.scenario.start({ ...options, parent: { auditLog, ...options.parent } });
    if (this.node.code !== null) throw new Error(this.node.code);
    return this.node;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await this.node?.stop();
    this.node = undefined;
  }

  /** Kills the enclave and starts it again behind a new parent; returns a client of it. */
  async restart(options: StartOptions = {}): Promise<NodeClient> {
    await this.stop();
    await this.start(options);
    return await this.connect();
  }

  async connect(as: 'backend' | 'desk' = 'backend'): Promise<NodeClient> {
    const { testbed, testNode, pcrs } = this.scenario;
    const client = await connectNode({
      url: this.url,
      trust: { root: testbed.host.rootCertificate, pcrs, manifest: testNode.manifestBytes },
      clientId: as === 'desk' ? 'desk' : CLIENT,
      privateKey: as === 'desk' ? this.desk.privateKey : testNode.client.privateKey,
      timeoutMs: 60_000,
    });
    this.#clients.push(client);
    return client;
  }

  get url(): string {
    if (this.node === undefined) throw new Error('the node is not running');
    return this.node.url;
  }

  /** Reads a request as its approvers do. */
  async review(id: string): Promise<PendingRequestDocument> {
    const answer = await sendRaw(this.url, { method: 'GET', target: `/v1/requests/${id}/review` });
    const { envelope } = reviewResponseSchema.parse(answer.body);
    const { payload } = JSON.parse(Buffer.from(envelope, 'base64').toString()) as { payload: string };
    return JSON.parse(Buffer.from(payload, 'base64').toString()) as PendingRequestDocument;
  }

  /** Votes as a person with a key file; returns the state after it, or the code of the refusal. */
  async vote(
    id: string,
    person: KeyHolder,
    change: Partial<ApprovalStatement> = {},
    request?: PendingRequestDocument,
  ): Promise<string> {
    const { digest, manifest, configuration, rule, expires } = request ?? (await this.review(id));
    const statement = encodeStatement({
      format: 'holdfast-approval/1',
      decision: 'approve',
      request: { id, digest },
      manifest,
      configuration,
      rule,
      approver: person.id,
      expires,
      ...change,
    });
    const { proof } = person.sign(statement);
    if (proof.type !== 'ed25519') throw new TypeError('expected a key file');
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
    const body = Buffer.from(
      JSON.stringify({
        statement: base64(statement),
        proof: { ...proof, signature: base64(proof.signature) },
      }),
    );
    const answer = await sendRaw(this.url, {
      method: 'POST',
      target: `/v1/requests/${id}/votes`,
      headers: { 'content-type': 'application/json' },
      body,
    });
    if (answer.status !== 200) return codeOfResponse(answer);
    const { state, votes } = voteResponseSchema.parse(answer.body);
    return `${state} ${votes.length}`;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.scenario.close();
  }
}

/** Returns the id of the request that a call leaves waiting. @throws whatever else the call throws */
export async function waitingId(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ClientError && error.code === 'APPROVALS_NEEDED') return String(error.details['id']);
  throw error ?? new Error('expected a request that waits, found signatures');
}

/** Returns the code of a refusal, or SIGNED. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'SIGNED';
  } catch (error) {
    if (error instanceof NodeRefusal || error instanceof ClientError) return error.code;
    throw error;
  }
}
