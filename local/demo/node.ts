import { computeManifestPcr } from '../../attestation/index.ts';
import { connectNode, type NodeClient } from '../../client/index.ts';
import { InternalError } from '../../shared/errors.ts';
import { BOOT_ATTACKS } from '../attacks/boot-attacks.ts';
import { KMS_ATTACKS } from '../attacks/kms-attacks.ts';
import { askSession } from '../attacks/raw-request.ts';
import { REQUEST_ATTACKS } from '../attacks/request-attacks.ts';
import type { StartedNode } from '../testbed/index.ts';
import { CLIENT, Scenario } from '../testbed/scenario.ts';
import type { WitnessedNode } from './decide.ts';
import { DEMO_SIGNATURES, signAndVerify } from './signatures.ts';
import { type DemoPart, judge, type Running, type Step, type StepResult } from './steps.ts';

/** Milliseconds that a client waits: a node without cosignatures gives up after 8 s, and the machine may be busy. */
const TIMEOUT_MS = 60_000;

/** Plays the life of one node, from its account to what it refuses. @returns the key of its log */
export async function playNode(
  scenario: Scenario,
  running: Running,
  step: Step,
): Promise<WitnessedNode['log']> {
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
  return binding.log;
}

/** Opens the stand-ins, and one node's account. */
export async function provision(directory: string, running: Running, step: Step): Promise<Scenario> {
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

/** Ends a node. */
export async function stop(node: StartedNode, running: Running): Promise<void> {
  running.delete(node);
  await node.stop();
}

/** Connects a client that verifies a node first. */
export function connect(scenario: Scenario, { url }: StartedNode): Promise<NodeClient> {
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
