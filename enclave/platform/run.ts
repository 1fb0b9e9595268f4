import { errorCode } from '../../shared/errors.ts';
import { bootNode, type Platform } from '../boot/index.ts';
import { endProcess, leaveExitReason } from './exit-reason.ts';

/**
 * Runs a node until it ends, as the only program of an enclave. Any error is final: its code is left with
 * init, and the process ends at once, whatever else is under way.
 */
export async function runEnclave(openPlatform: () => Platform): Promise<never> {
  try {
    const node = await bootNode(openPlatform());
    await node.ended;
  } catch (error) {
    leaveExitReason(errorCode(error));
    endProcess(1);
  }
  endProcess(0);
}
