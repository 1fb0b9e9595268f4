import { setTimeout as sleep } from 'node:timers/promises';
import { type Parent, type ParentOptions, startParent } from '../../parent/index.ts';
import type { LaunchOptions, LocalEnclave, NitroHost } from '../nitro-host/index.ts';
import type { TestNode } from './test-node.ts';
import { testNodeParentOptions } from './test-node-parent.ts';
import type { Testbed } from './testbed.ts';

const POLL_MS = 5;
/** Looks after the end of an enclave: its last word may still be on its way through the parent. */
const LAST_LOOKS = 100;
/** Beyond every deadline of a start itself, however busy the machine is. */
const START_TIMEOUT_MS = 120_000;

export interface RunOptions {
  /** Changes the options of the parent, to put a hostile part in. */
  readonly parent?: (options: ParentOptions) => ParentOptions;
  /** Starts the parent; the real one when left out. */
  readonly start?: (options: ParentOptions) => Promise<Parent>;
  readonly launch: LaunchOptions;
  /** Nitro host to start on; the testbed's own when left out. */
  readonly host?: NitroHost;
}

/** Node that was started and either serves or has failed: never in between. */
export interface StartedNode {
  readonly phase: 'serving' | 'failed';
  /** Code of the failure; null when the node serves. */
  readonly code: string | null;
  readonly parent: Parent;
  readonly enclave: LocalEnclave;
  /** Base URL at which clients reach the node, through the parent. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a parent and an enclave for a test node, and waits until the node serves or fails. */
export async function runNode(
  testbed: Pick<Testbed, 'aws' | 'host'>,
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
  let looks = 0;
  const exited = enclave.exited.then(() => {
    hasExited = true;
  });
  while (Date.now() < deadline) {
    const status = parent.node;
    if (status?.phase === 'serving') return { phase: 'serving', code: null };
    if (status?.phase === 'failed' && hasExited) return { phase: 'failed', code: status.code };
    if (hasExited && looks === LAST_LOOKS) return { phase: 'failed', code: 'NO_WORD' };
    if (hasExited) looks += 1;
    await (hasExited ? sleep(POLL_MS) : Promise.race([sleep(POLL_MS), exited]));
  }
  throw new Error('expected a node that serves or fails within its time');
}
