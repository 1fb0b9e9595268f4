import { type ApprovalContext, type NewRequest, PendingRequests } from '../../../enclave/approvals/index.ts';
import { deriveStoreKey, SealedStore } from '../../../enclave/store/index.ts';
import { type Approval, type ApprovalStatement, encodeStatement } from '../../../policy/approvals/index.ts';
import { digestRequest } from '../../../shared/api/request-digest.ts';
import type { VoteRequest } from '../../../shared/api/requests.ts';
import { KeyHolder, PasskeyHolder } from '../../policy/approvals/people.ts';
import { MemoryRecordStorage } from '../store/memory-record-storage.ts';

const KEY = deriveStoreKey(new Uint8Array(32).fill(7), { namespace: 'demo', environment: 'test', node: 1 });
const STATE = { order: 'first-start', configuration: { version: 1, digest: new Uint8Array(48) }, boots: 1 };

export const START = 1_800_000_000_000;
export const MINUTE = 60_000;

/** People, a store and a clock around requests that wait. */
export class Circumstances {
  readonly alice = new PasskeyHolder('alice');
  readonly bob = new KeyHolder('bob');
  readonly erin = new KeyHolder('erin');
  readonly storage = new MemoryRecordStorage();
  readonly #store = SealedStore.create(this.storage, KEY, STATE, undefined);
  now = START;
  configuration = { version: 7, digest: 'ef'.repeat(48) };

  get context(): ApprovalContext {
    return {
      manifest: 'cd'.repeat(48),
      configuration: this.configuration,
      approvers: [this.alice.entry, this.bob.entry, this.erin.entry],
      groups: new Map([
        ['treasury', ['alice', 'bob']],
        ['security', ['erin']],
      ]),
      clients: new Map([
        ['backend', { publicKey: '11'.repeat(32), person: 'erin' }],
        ['desk', { publicKey: '22'.repeat(32), person: null }],
      ]),
      now: () => this.now,
    };
  }

  async start(): Promise<PendingRequests> {
    return (await PendingRequests.restore(this.#store, this.context)).requests;
  }

  /** Seals the changes of requests, as the log's next commit does. */
  async seal(requests: PendingRequests): Promise<void> {
    await this.#store.commit(requests.collectChanges());
  }

  /** Reads the requests from the store again, as the next start of the node does. */
  async restart() {
    return await PendingRequests.restore(await SealedStore.open(this.storage, KEY), this.context);
  }
}

/** A request for a blind signature; `mark` makes it another one. */
export function newRequest(mark = 0, client = 'backend', expires = START + MINUTE): NewRequest {
  const request = {
    key: 'hot',
    algorithm: 'ed25519' as const,
    payload: { kind: 'message' as const, message: Buffer.from([mark]).toString('hex') },
  };
  const digest = Buffer.from(digestRequest({ operation: 'sign', client, ...request })).toString('hex');
  return {
    client,
    request,
    digest,
    rule: 'large-transfers',
    needs: [{ group: 'treasury', count: 2 }],
    expires,
  };
}

/** The statement that an approver signs about a request that waits. */
export function statementOf(
  requests: PendingRequests,
  id: string,
  approver: string,
  change: Partial<ApprovalStatement> = {},
): Uint8Array {
  const { digest, configuration, rule, expires } = requests.find(id).request;
  return encodeStatement({
    format: 'holdfast-approval/1',
    decision: 'approve',
    request: { id, digest },
    manifest: 'cd'.repeat(48),
    configuration,
    rule,
    approver,
    expires,
    ...change,
  });
}

/** The body of a vote. */
export function toBody({ statement, proof }: Approval): VoteRequest {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  if (proof.type === 'ed25519') {
    return { statement: base64(statement), proof: { ...proof, signature: base64(proof.signature) } };
  }
  return {
    statement: base64(statement),
    proof: {
      type: 'passkey',
      credentialId: proof.credentialId,
      authenticatorData: base64(proof.authenticatorData),
      clientDataJSON: base64(proof.clientDataJSON),
      signature: base64(proof.signature),
    },
  };
}
