import type { KeyObject } from 'node:crypto';
import { GATE_RECORD_TYPE, type GateDecision } from '../../attestation/key-policy/index.ts';
import { createEnvelope, signEnvelope } from '../../shared/dsse/index.ts';

/**
 * Signs the record of a decision of the gate, as the admin who has decided; audit/gate-record.ts verifies it.
 *
 * @param privateKey Ed25519
 * @returns a DSSE envelope as one line of JSON
 */
export function signGateRecord({ record }: Pick<GateDecision, 'record'>, privateKey: KeyObject): string {
  return `${JSON.stringify(signEnvelope(createEnvelope(GATE_RECORD_TYPE, record), privateKey))}\n`;
}
