import { setTimeout as sleep } from 'node:timers/promises';
import { type Parent, type ParentOptions, startParent } from '../../parent/index.ts';
import type { LaunchOptions, LocalEnclave, NitroHost } from '../nitro-host/index.ts';
import type { TestNode } from './test-node.ts';
import { testNodeParentOptions } from './test-node-parent.ts';
import type { Testbed } from './testbed.ts';

const POLL_MS = 5;
const START_TIMEOUT_MS = 30_000;

export interface RunOptions {
  /** Changes what the parent is started with: where a test puts a hostile part. */
  readonly parent?: (options: ParentOptions) => ParentOptions;
  /** Starts the parent; the real one when left out. */
  readonly start?: (options: ParentOptions) => Promise<Parent>;
  readonly launch: LaunchOptions;
  /** The Nitro host to start on; the testbed's own when left out. */
  readonly host?: NitroHost;
}

/** A node that was started and either serves or has failed: never in between. */
export interface StartedNode {
  readonly phase: 'serving' | 'failed';
  /** Why it failed; null when it serves. */
  readonly code: string | null;
  readonly parent: Parent;
  readonly enclave: LocalEnclave;
  /** The base URL that clients reach the node at, through the parent. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a parent and an enclave for a testNode, and waits for what becomes of them. */
export async function runNode(
  testbed: Testbed,
  testNode: TestNode,
  options: RunOptions,
): Promise<StartedNode> {
  const { host = testbed.host } = options;
  const cid = options.launch.cid ?? host.takeCid();
  const { parent: change = (unchanged) => unchanged, start = startParent } = options;
  const parent = await start(change(testNodeParentOptions({ aws: testbed.aws, host }, testNode, cid)));
  let enclave: LocalEnclave | undefined;
  try {
    enclave = await host.launch({ ...options.launch, cid });
    const { phase, code } = await settle(parent, enclave);
    const running = enclave;
    return {
      phase,
      code,
      parent,
      enclave,
      url: `https://127.0.0.1:${parent.ingress?.port ?? 0}`,
      stop: async () => {
        await running.terminate();
        await parent.close(0);
      },
    };
  } catch (error) {
    await enclave?.terminate();
    await parent.close(0);
    throw error;
  }
}

async function settle(parent: Parent, enclave: LocalEnclave): Promise<Pick<StartedNode, 'phase' | 'code'>> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let hasExited = false;
  const exited = enclave.exited.then(() => {
    hasExited = true;
  });
  while (Date.now() < deadline) {
    const status = parent.node;
    if (status?.phase === 'serving') return { phase: 'serving', code: null };
    if (hasExited) return { phase: 'failed', code: status?.phase === 'failed' ? status.code : 'NO_WORD' };
    await Promise.race([sleep(POLL_MS), exited]);
  }
  throw new Error('the node neither serves nor fails');
}
