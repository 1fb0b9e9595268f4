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
import { DEMO_SIGNATURES, signAndVerify } from './signatures.ts';
import { CLIENT, Scenario } from '../testbed/scenario.ts';

/** Line of the demonstration: what was done, whether the outcome is as it must be, and the outcome. */
export interface DemoStep {
  readonly part: DemoPart;
  readonly title: string;
  readonly ok: boolean;
  /** Outcome: a code, a figure or a key. */
  readonly outcome: string;
  readonly milliseconds: number;
}

export const DEMO_PARTS = [
  'provision',
  'boot',
  'sign',
  'restart',
  'refuse at boot',
  'refuse at work',
] as const;
export type DemoPart = (typeof DEMO_PARTS)[number];

export interface DemoOptions {
  readonly onStep: (step: DemoStep) => void;
  readonly signal: AbortSignal;
}

/** Result of a step: `ok` when it is as it must be. */
interface StepResult {
  readonly ok: boolean;
  readonly outcome: string;
}

/** Plays the whole life of a policy node on this machine, the attacks included, and returns every step. */
export async function runDemo({ onStep, signal }: DemoOptions): Promise<readonly DemoStep[]> {
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
  const running = new Set<{ stop(): Promise<void> }>();
  try {
    await play(directory, running, step);
  } finally {
    for (const each of running) await each.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return steps;
}

type Step = (part: DemoPart, title: string, act: () => Promise<StepResult>) => Promise<void>;

async function provision(
  directory: string,
  running: Set<{ stop(): Promise<void> }>,
  step: Step,
): Promise<Scenario> {
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

async function play(directory: string, running: Set<{ stop(): Promise<void> }>, step: Step): Promise<void> {
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
  again.close();
  await refuseRequests(scenario, second, step);
  await stop(second, running);
  for (const { attack, code, attempt } of [...BOOT_ATTACKS, ...KMS_ATTACKS]) {
    await step('refuse at boot', attack, async () => judge(code, await attempt(scenario)));
  }
  await step('refuse at boot', 'and for an honest parent the node serves as before', async () =>
    judge('SERVING', await scenario.attempt()),
  );
}

async function boot(
  scenario: Scenario,
  running: Set<{ stop(): Promise<void> }>,
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

async function stop(node: StartedNode, running: Set<{ stop(): Promise<void> }>): Promise<void> {
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

function judge(expected: string, actual: string): StepResult {
  return {
    ok: actual === expected,
    outcome: actual === expected ? actual : `${actual}, expected ${expected}`,
  };
}
