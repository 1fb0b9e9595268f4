import * as z from 'zod';
import type { Signing } from '../../policy/transactions/index.ts';
import type { SignRequest } from '../../shared/api/bodies.ts';
import type { PendingRequests, RequestStatus } from '../approvals/index.ts';
import type { Approved, CarriedOut, CarryOut, Waiting } from './carry-out.ts';
import { type IndexedSignature, recordSignature } from './signatures.ts';

/** What is kept of a request that was carried out, for a client whose response was lost. */
const keptSchema = z.strictObject({
  rule: z.string(),
  signatures: z.array(
    z.strictObject({
      index: z.int().nullable(),
      signature: z.string(),
      publicKey: z.string(),
      recovery: z.union([z.literal(0), z.literal(1)]).nullable(),
    }),
  ),
});
type Kept = z.infer<typeof keptSchema>;

export interface ResumeParts {
  readonly carryOut: CarryOut;
  readonly requests: PendingRequests;
  readonly signWith: (request: SignRequest, signings: readonly Signing[]) => readonly IndexedSignature[];
}

type Signed = CarriedOut<readonly IndexedSignature[]>;

/**
 * Creates the function that carries out requests whose approvals are there. A request that was carried out before gives
 * the signatures that were kept, and that is recorded again before they leave: the entry of the first time may be sealed
 * and not yet cosigned.
 */
export function createResume({ carryOut, requests, signWith }: ResumeParts) {
  return async (client: string, id: string): Promise<Signed | Waiting> => {
    const { request, votes } = requests.findOwn(client, id);
    const signRequest = request.request;
    const pipelineRequest = { ...signRequest, operation: 'sign', client } as const;
    const approved: Approved = { id, rule: request.rule, expires: request.expires, approvals: votes };
    let first: Signed | Waiting | undefined;
    const kept = await requests.carryOut(client, id, async (status: RequestStatus) => {
      first = await carryOut.approved(
        pipelineRequest,
        {
          act: (signings) => signWith(signRequest, signings),
          signaturesOf: (made) => made.map(recordSignature),
          onEntry: (made, rule) => requests.finish(id, keep(made, rule)),
        },
        { ...approved, approvals: status.votes },
      );
      return first;
    });
    if (first !== undefined) return first;
    // Another call at the same time has the outcome of this one.
    if (isOutcome(kept)) return kept;
    const { rule, signatures } = keptSchema.parse(kept);
    const result = signatures.map(restore);
    const receipt = await carryOut.again(pipelineRequest, rule, result.map(recordSignature), approved);
    return { outcome: 'permitted', result, rule, receipt };
  };
}

function isOutcome(value: unknown): value is Signed | Waiting {
  return typeof value === 'object' && value !== null && 'outcome' in value;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function keep(signatures: readonly IndexedSignature[], rule: string): Kept {
  return {
    rule,
    signatures: signatures.map(({ index, signature, publicKey, recovery }) => ({
      index: index ?? null,
      signature: hex(signature),
      publicKey: hex(publicKey),
      recovery: recovery ?? null,
    })),
  };
}

function restore({ index, signature, publicKey, recovery }: Kept['signatures'][number]): IndexedSignature {
  return {
    index: index ?? undefined,
    signature: Buffer.from(signature, 'hex'),
    publicKey: Buffer.from(publicKey, 'hex'),
    ...(recovery === null ? {} : { recovery }),
  };
}
