import { WITNESS_STATUS, WitnessError } from '../../../audit/witness/index.ts';
import type { NodeWitness } from './node-witness.ts';

const TEXT = 'text/plain; charset=utf-8';
const SIZE_TYPE = 'text/x.tlog.size';

/** Response of add-checkpoint, C2SP tlog-witness. */
export interface WitnessResponse {
  readonly status: number;
  /** Media type of the body. */
  readonly type: string;
  readonly body: string;
}

/**
 * Responds to a request of add-checkpoint: with a cosignature, or with the status that tlog-witness gives to a refusal.
 *
 * @throws AppendError where the entry of the cosignature was not released; StoreError
 */
export async function addCheckpoint(
  witness: Pick<NodeWitness, 'cosign'>,
  body: Uint8Array,
): Promise<WitnessResponse> {
  try {
    return { status: 200, type: TEXT, body: await witness.cosign(body) };
  } catch (error) {
    if (!(error instanceof WitnessError)) throw error;
    const { code, details } = error;
    const status = WITNESS_STATUS[code];
    return code === 'WITNESS_CONFLICT'
      ? { status, type: SIZE_TYPE, body: `${String(details['size'])}\n` }
      : { status, type: TEXT, body: `${code}\n` };
  }
}
