import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNode, type NodeClient } from '../../client/index.ts';
import {
  rollBackWholeStore,
  signBesideClone,
  type WitnessedScenario,
} from '../../local/attacks/log-attacks.ts';
import { DEMO_SIGNATURES } from '../../local/demo/signatures.ts';
import type { StartedNode } from '../../local/testbed/index.ts';
import { CLIENT, Scenario } from '../../local/testbed/scenario.ts';
import { upgradeConfiguration } from '../../shared/documents/configuration/upgrade.ts';
import { CONFIGURATION_FORMAT_1, CONFIGURATION_FORMAT_2 } from '../../shared/documents/configuration.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  findLogPeers,
  type RunningWitness,
  startLitewitness,
  startOmniwitness,
} from '../support/witnesses.ts';

const peers = findLogPeers('a whole node before real witnesses');

interface LogStatus {
  readonly origin: string;
  readonly key: string;
  readonly size: number;
  readonly published: number;
  readonly cosigned: number;
  readonly witnesses: readonly { readonly name: string; readonly refusal: string | null }[];
}

async function readStatus({ parent }: StartedNode): Promise<LogStatus> {
  const response = await fetch(`${parent.statusUrl}/status`);
  return ((await response.json()) as { auditLog: LogStatus }).auditLog;
}

describe.skipIf(peers === undefined)('a node whose configuration names witnesses', () => {
  let scenario: Scenario;
  let witnesses: readonly RunningWitness[] = [];
  let witnessed: WitnessedScenario;
  let log: LogStatus;

  beforeAll(async () => {
    scenario = await Scenario.open(temporaryFolder());
    // Without witnesses it serves as before; its parent shows what they have to know.
    const first = await scenario.start({
      parent: { auditLog: { directory: temporaryFolder(), witnesses: [] } },
    });
    if (first.code !== null) throw new Error(first.code);
    log = await readStatus(first);
    await first.stop();
    const followed = { origin: log.origin, vkey: log.key };
    witnesses = await Promise.all([
      startLitewitness(peers ?? '', followed),
      startOmniwitness(peers ?? '', followed),
    ]);
    const keys = witnesses.map(({ vkeys: [key = ''] }) => key);
    await scenario.testNode.configure({
      ...upgrade(scenario),
      witnesses: { threshold: 2, keys, maxUncosignedSeconds: 0 },
    });
    witnessed = {
      scenario,
      auditLog: () => ({
        directory: temporaryFolder(),
        witnesses: witnesses.map(({ url }, index) => ({ url, key: keys[index] ?? '' })),
      }),
    };
  });

  afterAll(async () => {
    await Promise.all(witnesses.map((one) => one.stop()));
    await scenario.close();
  });

  const connect = ({ url }: StartedNode): Promise<NodeClient> =>
    connectNode({
      url,
      trust: {
        root: scenario.testbed.host.rootCertificate,
        pcrs: scenario.pcrs,
        manifest: scenario.testNode.manifestBytes,
      },
      clientId: CLIENT,
      privateKey: scenario.testNode.client.privateKey,
      // A node without cosignatures gives up after 8 s: on a busy machine that is close to the default.
      timeoutMs: 60_000,
    });
  const sign = async (client: NodeClient) => {
    const [first] = DEMO_SIGNATURES;
    if (first === undefined) throw new RangeError('a request to sign');
    return await client.sign(first.request);
  };

  it('is known by the origin and key that its parent shows', () => {
    expect(log.origin).toBe('node-1.local.demo.holdfast.internal/log');
    expect(log.key).toMatch(/^node-1\.local\.demo\.holdfast\.internal\/log\+[0-9a-f]{8}\+A/);
  });

  it('attests its log and its witnesses, signs, and has each decision under a cosigned checkpoint', async () => {
    const options = witnessed.auditLog();
    const node = await scenario.start({ parent: { auditLog: options } });
    expect(node.code).toBeNull();
    const client = await connect(node);
    expect((await client.attest()).binding).toMatchObject({
      format: 'holdfast-node/2',
      log: { origin: log.origin, key: log.key },
      witnesses: { threshold: 2, of: 2 },
    });
    const before = (await readStatus(node)).size;
    await sign(client);
    await sign(client);
    await expect.poll(async () => (await readStatus(node)).published).toBe(before + 2);
    const status = await readStatus(node);
    expect(status).toMatchObject({ size: before + 2, cosigned: 2 });
    const served = await (await fetch(`${node.parent.statusUrl}/log/checkpoint`)).text();
    expect(served.split('\n— ')).toHaveLength(4);
    const bundle = await fetch(`${node.parent.statusUrl}/log/tile/entries/000.p/${before + 2}`);
    expect(bundle.status).toBe(200);
    for (const path of [
      '..%2fstatus',
      'tile/entries/..%2f..%2fprogress',
      'progress',
      'checkpoint.new',
      'tile/0/999',
    ]) {
      expect((await fetch(`${node.parent.statusUrl}/log/${path}`)).status).toBe(404);
    }
    client.close();
    await node.stop();
    expect(readFileSync(join(options.directory, 'checkpoint'), 'utf8')).toBe(served);
  });

  it('does not start on a store that was rolled back as a whole', async () => {
    expect(await rollBackWholeStore(witnessed)).toBe('STORE_ROLLED_BACK');
    // The newest store still starts.
    expect(await scenario.attempt({ parent: { auditLog: witnessed.auditLog() } })).toBe('SERVING');
  });

  it('lets nothing out while a clone of it has the witnesses, and the clone goes on', async () => {
    const codes = await signBesideClone(witnessed, async (node) => {
      const client = await connect(node);
      await sign(client).finally(() => client.close());
    });
    expect(codes).toEqual(['SIGNED', 'LOG_NOT_COSIGNED', 'SIGNED']);
  });
});

/** The scenario's configuration in format 2, as the next version. */
function upgrade(scenario: Scenario) {
  const body = scenario.configuration(2);
  const {
    format: _,
    manifest: __,
    ...rest
  } = upgradeConfiguration({
    format: CONFIGURATION_FORMAT_1,
    manifest: '',
    ...body,
  });
  return { format: CONFIGURATION_FORMAT_2, ...rest } as const;
}
