import type { ParentOptions } from '../../parent/index.ts';
import { errorCode } from '../../shared/errors.ts';
import { createMemoryStore } from '../hostile-parent/index.ts';
import type { StartedNode } from '../testbed/index.ts';
import type { Scenario } from '../testbed/scenario.ts';

/** Node in a scenario whose configuration names witnesses, and a folder for the log of each parent. */
export interface WitnessedScenario {
  readonly scenario: Scenario;
  /** Makes the options of a parent's log: a folder of its own, and the witnesses. */
  readonly auditLog: () => NonNullable<ParentOptions['auditLog']>;
}

/**
 * Rolls the whole store, records and log together, back to what it was before the node last started, and starts it
 * again: every signature made since would be forgotten. Returns the code that the start ends with.
 */
export async function rollBackWholeStore({ scenario, auditLog }: WitnessedScenario): Promise<string> {
  const older = scenario.store.snapshot();
  const started = await scenario.start({ parent: { auditLog: auditLog() } });
  await started.stop();
  if (started.code !== null) return started.code;
  const newest = scenario.store.snapshot();
  scenario.store.restore(older);
  try {
    return await scenario.attempt({ parent: { auditLog: auditLog() } });
  } finally {
    scenario.store.restore(newest);
  }
}

/** Two nodes on copies of one store. */
interface ClonedNode {
  /** The node that ran before, which goes on. */
  readonly older: StartedNode;
  /** The node that was started from a copy of its store. */
  readonly clone: StartedNode;
  stop(): Promise<void>;
}

/**
 * Starts a second enclave from a copy of a running node's store, behind a parent and on a host of its own, while the
 * first one goes on: what one of them counts, the other does not.
 */
async function cloneRunningNode({ scenario, auditLog }: WitnessedScenario): Promise<ClonedNode> {
  const older = await scenario.start({
    host: await scenario.testbed.addHost(),
    parent: { auditLog: auditLog() },
  });
  const copy = createMemoryStore();
  copy.restore(scenario.store.snapshot());
  const clone = await scenario.start({
    host: await scenario.testbed.addHost(),
    parent: { auditLog: auditLog(), store: copy },
  });
  return {
    older,
    clone,
    async stop() {
      await older.stop();
      await clone.stop();
    },
  };
}

/**
 * Has a clone sign, then the node that was paused meanwhile, then the clone again.
 *
 * @param sign has a node sign something, which differs with the number
 * @returns `SIGNED` or the code of the refusal, of each in that order
 */
export async function signBesideClone(
  witnessed: WitnessedScenario,
  sign: (node: StartedNode, number: number) => Promise<unknown>,
): Promise<readonly [clone: string, paused: string, again: string]> {
  const cloned = await cloneRunningNode(witnessed);
  const { older, clone } = cloned;
  const attempt = async (node: StartedNode, number: number): Promise<string> => {
    if (node.code !== null) return node.code;
    return await sign(node, number).then(
      () => 'SIGNED',
      (error: unknown) => errorCode(error),
    );
  };
  try {
    return [await attempt(clone, 10), await attempt(older, 11), await attempt(clone, 12)];
  } finally {
    await cloned.stop();
  }
}
