import * as z from 'zod';
import type { SignRequest } from '../../shared/api/bodies.ts';
import type { PendingRequests, RequestStatus, Vote } from '../approvals/index.ts';
import type { Action, Approved, CarriedOut, CarryOut, Waiting } from './carry-out.ts';
import type { ForwardedRequest } from './forwarded-request.ts';
import type { ForwardedConsent } from '../quorum/signing/index.ts';
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
  /** Makes the way to sign a request; a key of the quorum needs what the other nodes verify. */
  readonly signAction: SignAction;
}

/** Makes the action that signs a request with the key that it names. */
export type SignAction = (
  request: SignRequest,
  forwarding: { readonly signed: ForwardedRequest | undefined; readonly consent: ForwardedConsent | null },
) => Action<readonly IndexedSignature[]>;

type Signed = CarriedOut<readonly IndexedSignature[]>;

/**
 * Creates the function that carries out requests whose approvals are there. A request that was carried out before gives
 * the signatures that were kept, and that is recorded again before they leave: the entry of the first time may be sealed
 * and not yet cosigned.
 */
export function createResume({ carryOut, requests, signAction }: ResumeParts) {
  return async (client: string, id: string, resume?: () => ForwardedRequest): Promise<Signed | Waiting> => {
    const { request, votes } = requests.findOwn(client, id);
    const signRequest = request.request;
    const pipelineRequest = { ...signRequest, operation: 'sign', client } as const;
    const approved: Approved = { id, rule: request.rule, expires: request.expires, approvals: votes };
    let first: Signed | Waiting | undefined;
    const kept = await requests.carryOut(client, id, async (status: RequestStatus) => {
      const { signed } = status;
      // A request that this node carries out alone was kept without its signature.
      const consent =
        signed === undefined || resume === undefined
          ? null
          : { id, expires: request.expires, resume: resume(), votes: status.votes.map(toForwarded) };
      const action = signAction(signRequest, { signed, consent });
      first = await carryOut.approved(
        pipelineRequest,
        {
          ...action,
          onEntry: (made, rule) => {
            action.onEntry?.(made, rule);
            requests.finish(id, keep(made, rule));
          },
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
    return { outcome: 'permitted', result, rule, receipt, receipts: [] };
  };
}

const toForwarded = ({ statement, proof }: Vote) => ({ statement, proof });

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
