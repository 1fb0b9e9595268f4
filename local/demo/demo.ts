import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { computeManifestPcr } from '../../attestation/index.ts';
import { connectNode, type NodeClient } from '../../client/index.ts';
import { InternalError } from '../../shared/errors.ts';
import type { StartedNode } from '../testbed/index.ts';
import { BOOT_ATTACKS } from '../attacks/boot-attacks.ts';
import { KMS_ATTACKS } from '../attacks/kms-attacks.ts';
import { askSession } from '../attacks/raw-request.ts';
import { REQUEST_ATTACKS } from '../attacks/request-attacks.ts';
import {
  type DecidedTransfer,
  decideTransfers,
  startWitnessed,
  type StoryOptions,
  type WitnessedNode,
} from './decide.ts';
import { playDoor } from './door.ts';
import { harmWitnessed, proveDecisions } from './prove.ts';
import { playQuorum } from './quorum.ts';
import { DEMO_SIGNATURES, signAndVerify } from './signatures.ts';
import { type DemoPart, type DemoStep, judge, type Running, type Step, type StepResult } from './steps.ts';
import type { HoldfastCommand } from '../testbed/holdfast-command.ts';
import { CLIENT, Scenario } from '../testbed/scenario.ts';

/** Milliseconds that a client waits: a node without cosignatures gives up after 8 s, and the machine may be busy. */
const TIMEOUT_MS = 60_000;

export interface DemoOptions {
  readonly onStep: (step: DemoStep) => void;
  /** Command that people of the demonstration run as processes of their own. */
  readonly holdfast: HoldfastCommand;
  readonly signal: AbortSignal;
}

/** Plays the whole life of a policy node on this machine, the attacks included, and returns every step. */
export async function runDemo({ onStep, holdfast, signal }: DemoOptions): Promise<readonly DemoStep[]> {
  const steps: DemoStep[] = [];
  async function step(part: DemoPart, title: string, act: () => Promise<StepResult>): Promise<void> {
    signal.throwIfAborted();
    const start = performance.now();
    const result = await act();
    const milliseconds = Math.round(performance.now() - start);
    steps.push({ part, title, milliseconds, ...result });
    onStep({ part, title, milliseconds, ...result });
  }
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-demo-'));
  const running: Running = new Set();
  try {
    await play({ directory, running, step, holdfast });
  } finally {
    for (const each of running) await each.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return steps;
}

async function provision(directory: string, running: Running, step: Step): Promise<Scenario> {
  let opened: Scenario | undefined;
  await step(
    'provision',
    'KMS, Secrets Manager and a Nitro host on this machine; one node’s AWS account',
    async () => {
      const scenario = await Scenario.open(directory);
      running.add({ stop: () => scenario.close() });
      opened = scenario;
      return { ok: true, outcome: scenario.testNode.keyArn };
    },
  );
  if (opened === undefined) throw new InternalError('expected the step that opens the testbed to have run');
  return opened;
}

function measure({ testNode }: Scenario): StepResult {
  const pcr = Buffer.from(computeManifestPcr(testNode.manifestBytes));
  return { ok: pcr.equals(testNode.manifestPcr), outcome: `${pcr.toString('hex').slice(0, 16)}…` };
}

interface Stage {
  readonly directory: string;
  readonly running: Running;
  readonly step: Step;
  readonly holdfast: HoldfastCommand;
}

async function play(stage: Stage): Promise<void> {
  const { directory, running, step } = stage;
  const scenario = await provision(directory, running, step);
  await step('provision', 'its manifest is measured: PCR16', () => Promise.resolve(measure(scenario)));

  const first = await boot(
    scenario,
    running,
    step,
    'first start: the order to initialise, an attested GenerateDataKey',
  );
  const keys = await useNode(scenario, first, step);
  await stop(first, running);

  // The admin takes GenerateDataKey out of the key policy, the authority signs a configuration without the order.
  await scenario.testNode.allow(scenario.pcrs);
  await scenario.testNode.configure(scenario.configuration(2));
  const second = await boot(
    scenario,
    running,
    step,
    'second start: an attested Decrypt opens the sealed store',
    'restart',
  );
  const again = await connect(scenario, second);
  await step('restart', 'the keys are the same as before', async () => {
    const same = JSON.stringify(await again.keys()) === keys;
    return { ok: same, outcome: same ? 'same public keys' : 'OTHER KEYS' };
  });
  const { binding } = await again.attest();
  again.close();
  await refuseRequests(scenario, second, step);
  await stop(second, running);
  for (const { attack, code, attempt } of [...BOOT_ATTACKS, ...KMS_ATTACKS]) {
    await step('refuse at boot', attack, async () => judge(code, await attempt(scenario)));
  }
  await step('refuse at boot', 'and for an honest parent the node serves as before', async () =>
    judge('SERVING', await scenario.attempt()),
  );
  if (!('log' in binding)) throw new Error('expected a document that names the log');
  await playDecisions({ ...stage, scenario, version: 3 }, binding.log);
  await playQuorum({ directory: join(directory, 'quorum'), program: scenario.program, running, step });
}

/** Has transactions decided under rules of format 2, proves what was decided, and harms the store whose log is witnessed. */
export async function playDecisions(
  stage: Stage & Pick<StoryOptions, 'scenario' | 'version'>,
  log: WitnessedNode['log'],
): Promise<readonly DecidedTransfer[]> {
  const options: StoryOptions = { ...stage, connect: (node) => connect(stage.scenario, node) };
  const witnessed = await startWitnessed(options, log);
  const decided = await decideTransfers(options, witnessed);
  await proveDecisions(options, witnessed, decided);
  await playDoor(options, witnessed);
  witnessed.client.close();
  await stop(witnessed.node, stage.running);
  await harmWitnessed(options, witnessed);
  return decided;
}

async function boot(
  scenario: Scenario,
  running: Running,
  step: Step,
  title: string,
  part: DemoPart = 'boot',
): Promise<StartedNode> {
  let started: StartedNode | undefined;
  await step(part, title, async () => {
    started = await scenario.start();
    running.add(started);
    return { ok: started.code === null, outcome: started.code ?? 'serving' };
  });
  if (started?.phase !== 'serving') throw new Error('expected a node that serves');
  return started;
}

async function stop(node: StartedNode, running: Running): Promise<void> {
  running.delete(node);
  await node.stop();
}

function connect(scenario: Scenario, { url }: StartedNode): Promise<NodeClient> {
  return connectNode({
    url,
    trust: {
      root: scenario.testbed.host.rootCertificate,
      pcrs: scenario.pcrs,
      manifest: scenario.testNode.manifestBytes,
    },
    clientId: CLIENT,
    privateKey: scenario.testNode.client.privateKey,
    timeoutMs: TIMEOUT_MS,
  });
}

/** Attests the node and has it sign; returns the public keys. */
async function useNode(scenario: Scenario, node: StartedNode, step: Step): Promise<string> {
  let client: NodeClient | undefined;
  await step(
    'boot',
    'a client verifies its attestation document, and that TLS ends with the attested key',
    async () => {
      client = await connect(scenario, node);
      return { ok: true, outcome: 'verified' };
    },
  );
  if (client === undefined) throw new Error('expected a connected client');
  const connected = client;
  for (const signature of DEMO_SIGNATURES) {
    await step('sign', signature.title, async () => {
      const ok = await signAndVerify(connected, signature);
      return { ok, outcome: ok ? 'verifies' : 'DOES NOT VERIFY' };
    });
  }
  const keys = JSON.stringify(await connected.keys());
  connected.close();
  return keys;
}

async function refuseRequests(scenario: Scenario, node: StartedNode, step: Step): Promise<void> {
  const serving = { testNode: scenario.testNode, url: node.url, session: await askSession(node.url) };
  for (const { attack, code, attempt } of REQUEST_ATTACKS) {
    await step('refuse at work', attack, async () => judge(code, await attempt(serving)));
  }
}
