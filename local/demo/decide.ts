import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { formatPcrFile } from '../../attestation/index.ts';
import { ClientError, type NodeClient, NodeRefusal } from '../../client/index.ts';
import { describeRule } from '../../policy/index.ts';
import type { SignRequest, SignResponse } from '../../shared/api/bodies.ts';
import { digestRequest } from '../../shared/api/request-digest.ts';
import {
  APPROVERS,
  DECIDED_KEY,
  decisionConfiguration,
  loadApprovers,
  PAYMENT_RULE,
  STRANGER,
  SUPPLIER,
  WEI,
} from '../testbed/decision-configuration.ts';
import { addPools } from '../testbed/pool-configuration.ts';
import { type HoldfastCommand, runCommand } from '../testbed/holdfast-command.ts';
import type { StartedNode } from '../testbed/index.ts';
import { CLIENT, type Scenario } from '../testbed/scenario.ts';
import { type LocalWitnesses, startWitnesses } from '../testbed/witnesses.ts';
import { poolClient } from './door.ts';
import { DEMO_SIGNATURES } from './signatures.ts';
import { makeTransfer, type EthereumTransfer } from '../testbed/ethereum-transfer.ts';
import { judge, type Running, type Step, type StepResult } from './steps.ts';
import { describeDecision, readDecision } from './words.ts';

/** Witnesses of the node's log; `threshold` of them must cosign: one may be down, none may lie or forget. */
const WITNESSES = ['witness-1', 'witness-2', 'witness-3'];
const THRESHOLD = 2;

/** Parts that a story of decisions needs. */
export interface StoryOptions {
  readonly scenario: Scenario;
  /** Folder for keys, receipts and logs. */
  readonly directory: string;
  readonly holdfast: HoldfastCommand;
  /** Version of the configuration that comes into force. */
  readonly version: number;
  /** Connects the client to a node. */
  readonly connect: (node: StartedNode) => Promise<NodeClient>;
  readonly running: Running;
  readonly step: Step;
}

/** Files by which anybody may verify what the node says. */
export interface TrustFiles {
  readonly pcrs: string;
  readonly manifest: string;
  readonly root: string;
}

/** Node whose log is witnessed. */
export interface WitnessedNode {
  readonly node: StartedNode;
  readonly client: NodeClient;
  readonly log: { readonly origin: string; readonly key: string };
  readonly witnesses: LocalWitnesses['witnesses'];
  readonly threshold: number;
  readonly trust: TrustFiles;
}

/** Request that was decided, for good. */
export interface DecidedTransfer {
  readonly title: string;
  readonly transfer: EthereumTransfer;
  /** Receipt of the last decision. */
  readonly receipt: unknown;
  /** Null where it was refused. */
  readonly response: SignResponse | null;
}

/**
 * Starts witnesses, and the node under rules of format 2 that have the witnesses cosign.
 *
 * @param log origin and key of the log, from the node's attestation document
 */
export async function startWitnessed(
  options: StoryOptions,
  log: WitnessedNode['log'],
): Promise<WitnessedNode> {
  const { scenario, directory, holdfast, version, connect, running, step } = options;
  let witnesses: LocalWitnesses['witnesses'] = [];
  const title = `${WITNESSES.length} witnesses; ${THRESHOLD} must cosign: one may be down, none may lie (2k > n + f)`;
  await step('decide', title, async () => {
    const started = await startWitnesses(holdfast, join(directory, 'witnesses'), log, WITNESSES);
    running.add(started);
    ({ witnesses } = started);
    return { ok: witnesses.length === WITNESSES.length, outcome: 'each a process that remembers' };
  });
  const approvers = await loadApprovers(join(directory, 'approvers'));
  const keys = witnesses.map(({ key }) => key);
  const decisions = decisionConfiguration(scenario, version, {
    client: CLIENT,
    approvers,
    witnesses: { threshold: THRESHOLD, keys, maxUncosignedSeconds: 0 },
  });
  const configuration = addPools(decisions, [poolClient(scenario)]);
  await scenario.testNode.configure(configuration);
  let started: StartedNode | undefined;
  await step('decide', 'the node starts under rules that say what may be paid', async () => {
    started = await scenario.start({
      parent: { auditLog: { directory: join(directory, 'log'), witnesses } },
    });
    running.add(started);
    const rules = configuration.rules.filter(({ id }) => id === PAYMENT_RULE);
    return {
      ...judge('serving', started.code ?? 'serving'),
      details: rules.flatMap((rule) => describeRule(rule).split(', ')),
    };
  });
  if (started?.phase !== 'serving') throw new Error('expected a node that serves');
  const client = await connect(started);
  const trust = await writeTrust(scenario, directory);
  return { node: started, client, log, witnesses, threshold: THRESHOLD, trust };
}

async function writeTrust({ testbed, testNode, pcrs }: Scenario, directory: string): Promise<TrustFiles> {
  const paths = { pcrs: join(directory, 'pcr.json'), root: join(directory, 'root.der') };
  await writeFile(paths.pcrs, formatPcrFile(pcrs));
  await writeFile(paths.root, testbed.host.rootCertificate);
  return { ...paths, manifest: testNode.manifestPath };
}

/** Has transfers decided: one within the limits, one that needs two approvals, one that no rule permits. */
export async function decideTransfers(
  options: StoryOptions,
  witnessed: WitnessedNode,
): Promise<readonly DecidedTransfer[]> {
  const { step } = options;
  const { client } = witnessed;
  const within = makeTransfer(DECIDED_KEY, SUPPLIER.address, (WEI * 4n) / 10n, 0n);
  const above = makeTransfer(DECIDED_KEY, SUPPLIER.address, WEI * 4n, 1n);
  const foreign = makeTransfer(DECIDED_KEY, STRANGER, WEI / 10n, 2n);
  let [signed, approved, refused]: (DecidedTransfer | undefined)[] = [];
  let id = '';
  await step('decide', 'a transfer within the limits', async () => {
    const response = await client.sign(within.request);
    signed = { title: 'signed at once', transfer: within, receipt: response.receipt, response };
    return describeSigned(within, response);
  });
  await step('decide', 'a transfer above what one client may do alone', async () => {
    const waiting = await askToWait(client, above);
    id = waiting.id;
    return waiting.result;
  });
  await step('decide', 'a transfer to somebody whom the rules do not know', async () => {
    const refusal = await refuse(client, foreign.request);
    refused = { title: 'refused', transfer: foreign, receipt: refusal.receipt, response: null };
    const decision = readDecision(refusal.receipt);
    const ok = refusal.code === 'POLICY_DENIED' && decision.reasons.length > 0;
    return { ok, outcome: describeDecision(decision) };
  });
  await step('decide', 'and no digest of that key is signed blind any more', async () => {
    const [digest] = DEMO_SIGNATURES;
    if (digest === undefined) throw new RangeError('expected a request by digest');
    return judge('POLICY_DENIED', (await refuse(client, digest.request)).code);
  });
  const [first, second] = APPROVERS;
  await step('approve', `${first} verifies the node, reads the transfer and approves`, () =>
    approve(options, witnessed, { id, transfer: above, approver: first }),
  );
  await step('approve', 'with one approval it goes on waiting', async () => {
    const { code } = await expectError(client.resume(id));
    return judge('APPROVALS_NEEDED', code);
  });
  await step('approve', `${second} does the same`, () =>
    approve(options, witnessed, { id, transfer: above, approver: second }),
  );
  await step('approve', 'with two it is signed', async () => {
    const response = await client.resume(id);
    approved = { title: 'signed with approvals', transfer: above, receipt: response.receipt, response };
    return describeSigned(above, response);
  });
  return [signed, approved, refused].filter((one) => one !== undefined);
}

/** Whether a signature is the key's over this very transaction, by @noble/curves; and what was decided. */
function describeSigned({ hash }: EthereumTransfer, response: SignResponse): StepResult {
  const [signature, publicKey] = [response.signature, response.publicKey].map((hex) =>
    Uint8Array.from(Buffer.from(hex, 'hex')),
  );
  const decision = readDecision(response.receipt);
  const ok =
    signature !== undefined &&
    publicKey !== undefined &&
    secp256k1.verify(signature, hash, publicKey, { prehash: false, lowS: true }) &&
    decision.outcome === 'permitted';
  return { ok, outcome: ok ? describeDecision(decision) : 'DOES NOT VERIFY' };
}

async function askToWait(client: NodeClient, { request }: EthereumTransfer) {
  const error = await expectError(client.sign(request));
  const { id, receipt } = error.details as { id?: string; receipt?: unknown };
  if (!(error instanceof ClientError) || error.code !== 'APPROVALS_NEEDED' || id === undefined)
    return { id: '', result: judge('APPROVALS_NEEDED', error.code) };
  const decision = readDecision(receipt);
  return { id, result: { ok: decision.outcome === 'pending', outcome: describeDecision(decision) } };
}

async function refuse(client: NodeClient, request: SignRequest): Promise<NodeRefusal> {
  const error = await expectError(client.sign(request));
  if (!(error instanceof NodeRefusal)) throw error;
  return error;
}

/** @throws Error when nothing fails */
async function expectError(promise: Promise<unknown>): Promise<ClientError | NodeRefusal> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ClientError || error instanceof NodeRefusal) return error;
  throw error ?? new Error('expected a request that is not carried out');
}

/**
 * Approves by `holdfast approve sign`: it verifies the node's document and the request, decodes the transaction itself, and
 * signs only the digest that the approver was told by those who asked.
 */
async function approve(
  { holdfast, directory }: StoryOptions,
  { node, trust }: WitnessedNode,
  { id, transfer, approver }: { id: string; transfer: EthereumTransfer; approver: string },
): Promise<StepResult> {
  const { key, algorithm, payload } = transfer.request;
  const digest = digestRequest({ operation: 'sign', client: CLIENT, key, algorithm, payload });
  const args = ['approve', 'sign', id, '--url', node.url, ...trustArgs(trust), '--approver', approver];
  args.push('--key', join(directory, 'approvers', `${approver}.pem`));
  args.push('--yes-digest', Buffer.from(digest).toString('hex'));
  const { exit, said } = await runCommand(holdfast, args, directory);
  if (exit !== 0) return { ok: false, outcome: said.error?.code ?? 'NO WORD' };
  const votes = said['votes'] as readonly { readonly approver: string }[];
  return { ok: votes.some((vote) => vote.approver === approver), outcome: `approvals: ${votes.length} of 2` };
}

/** Options by which a verb is told whom to believe. */
export function trustArgs({ pcrs, manifest, root }: TrustFiles): string[] {
  return ['--pcrs', pcrs, '--manifest', manifest, '--root', root];
}
