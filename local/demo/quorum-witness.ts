import type { QuorumClient } from '../../client/index.ts';
import type { MemoryStore } from '../hostile-parent/index.ts';
import type { WitnessKeys } from '../testbed/quorum-configuration.ts';
import type { QuorumMember, StartMemberOptions, TestQuorum } from '../testbed/test-quorum.ts';
import { waitForPeers, type Witnessing } from './quorum-stage.ts';
import { judge, type Step, type StepResult } from './steps.ts';

/** Both peers have to cosign, so that no two histories find a witness each; none may be away. */
const WITNESSES = { threshold: 2, maxUncosignedSeconds: 0 };

export interface RollbackStage {
  readonly quorum: TestQuorum;
  readonly step: Step;
  /** Keys that each node attests, by its number. */
  readonly keys: ReadonlyMap<number, WitnessKeys>;
  readonly optionsOf: (node: number) => StartMemberOptions;
  /** Store of the last node, which its parent rolls back. */
  readonly store: MemoryStore;
  readonly connect: (members: readonly QuorumMember[]) => Promise<QuorumClient>;
  /** Has each authority sign the next configuration of its node. */
  readonly configure: (witnessing: Witnessing) => Promise<void>;
  /** Has the shared key sign. */
  readonly sign: (asked: QuorumClient) => Promise<StepResult>;
}

/** Has the nodes witness each other's logs, and then rolls the store of the last one back: it does not start. */
export async function rollBackWitnessed(stage: RollbackStage): Promise<void> {
  const { quorum, step, store, connect, sign } = stage;
  const last = quorum.member(quorum.members.length);
  await step('quorum', 'the nodes cosign each other’s logs, and node 3 waits for both others', () =>
    becomeWitnesses(stage),
  );
  const before = store.snapshot();
  await step(
    'quorum',
    'it has a request signed, and the other two have cosigned the log in which that is',
    async () => {
      const client = await connect([last]);
      await waitForPeers(client);
      return sign(client);
    },
  );
  await step('quorum', 'its whole store is rolled back to before that, and it is started', async () => {
    await quorum.stop(last.node);
    store.restore(before);
    const { code } = await quorum.start(last.node, stage.optionsOf(last.node));
    return judge('STORE_ROLLED_BACK', code ?? 'serving');
  });
  await step('quorum', 'the other two sign on', async () => sign(await connect(quorum.members.slice(0, -1))));
}

/**
 * Gives every node the keys that the others attest, so that each cosigns the others' logs; once two do, the third starts
 * with a configuration that waits for them.
 */
async function becomeWitnesses({ quorum, keys, configure, optionsOf }: RollbackStage): Promise<StepResult> {
  await quorum.stopAll();
  await quorum.nameWitnesses(new Map([...keys].map(([node, { witness }]) => [node, witness])));
  const others = quorum.members.slice(0, -1).map(({ node }) => node);
  const last = quorum.members.length;
  await configure({ keys, witnesses: new Map([[last, WITNESSES]]) });
  const first = await Promise.all(others.map((node) => quorum.start(node, optionsOf(node))));
  const codes = [...first, await quorum.start(last, optionsOf(last))].map(({ code }) => code);
  const failed = codes.find((code) => code !== null);
  return {
    ok: failed === undefined,
    outcome: failed ?? 'node 3 has started with the cosignatures of both others',
  };
}
