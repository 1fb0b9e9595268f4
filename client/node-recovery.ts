import type { z } from 'zod';
import { receiptSchema } from '../audit/receipt/receipt.ts';
import {
  acknowledgementResponseSchema,
  backupResponseSchema,
  MAX_BACKUP_ANSWER_BYTES,
  type RecoveryStatus,
  recoveryStatusSchema,
} from '../shared/api/recovery.ts';
import { encodeBackup } from '../shared/recovery/index.ts';
import type { SignedCall } from './signed-call.ts';

const decided = { receipt: receiptSchema.optional() };
const backupSchema = backupResponseSchema.extend(decided);
const acknowledgedSchema = acknowledgementResponseSchema.extend(decided);
/** What a node says of an acknowledgement that it has taken. */
export type Acknowledged = z.infer<typeof acknowledgedSchema>;

/** Parts of a node's client that {@link NodeRecovery} asks by. */
export interface NodeRecoveryParts {
  readonly call: <T>(call: SignedCall<T>) => Promise<T>;
}

/**
 * Backups of a node's keys, encrypted to the recovery key of its manifest. Every method throws what those of NodeClient do;
 * a refusal is a NodeRefusal with the node's code.
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { connectNode } from '@holdfast-nodes/holdfast/client';
 *
 * const node = await connectNode({
 *   url: 'https://node-1.example:8443',
 *   trust: {
 *     root: AWS_NITRO_ROOT_G1,
 *     pcrs: parsePcrFile(await readFile('pcr.json')),
 *     manifest: await readFile('manifest.json'),
 *   },
 *   clientId: 'backend',
 *   privateKey: createPrivateKey(await readFile('client.pem')),
 * });
 * const { keys } = await node.recovery.status();
 * console.log(keys.every(({ required, state }) => !required || state === 'kept')); // true
 * node.close();
 * ```
 */
export class NodeRecovery {
  readonly #call: NodeRecoveryParts['call'];

  constructor({ call }: NodeRecoveryParts) {
    this.#call = call;
  }

  /** Asks which keys a kept backup covers (`GET /v1/recovery`). */
  async status(): Promise<RecoveryStatus> {
    return await this.#call({ method: 'GET', target: '/v1/recovery', answer: recoveryStatusSchema });
  }

  /**
   * Has the node back up a key, or a page of a pool's keys (`POST /v1/recovery/backup`).
   *
   * @param nonce hex of 16 to 64 bytes, of whoever will verify the proof
   * @param after id of the pool's key before the page; null for the first
   * @returns a file as shared/recovery/SPEC.md has it, which nobody has verified yet
   */
  async backUp(key: string, nonce: string, after: string | null = null): Promise<Uint8Array> {
    const { statement, document, ciphertexts, receipt } = await this.#call({
      method: 'POST',
      target: '/v1/recovery/backup',
      answer: backupSchema,
      body: () => ({ key, nonce, after }),
      maxAnswerBytes: MAX_BACKUP_ANSWER_BYTES,
    });
    const bytes = (text: string) => Buffer.from(text, 'base64');
    return encodeBackup({
      statementBytes: bytes(statement),
      document: bytes(document),
      ciphertexts: ciphertexts.map(bytes),
      receipt,
    });
  }

  /**
   * Hands in a keeper's word that a backup is kept (`POST /v1/recovery/acknowledgement`).
   *
   * @param envelope the DSSE envelope that the keeper has signed
   */
  async acknowledge(key: string, envelope: Uint8Array): Promise<Acknowledged> {
    return await this.#call({
      method: 'POST',
      target: '/v1/recovery/acknowledgement',
      answer: acknowledgedSchema,
      body: () => ({ key, acknowledgement: Buffer.from(envelope).toString('base64') }),
    });
  }
}
