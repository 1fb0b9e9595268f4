import type { CodeArea } from './area.ts';
import { APPROVAL_CODES } from './approval.ts';
import { ATTESTATION_CODES } from './attestation.ts';
import { BOOT_CODES } from './boot.ts';
import { CANTON_CODES } from './canton.ts';
import { CEREMONY_CODES } from './ceremony.ts';
import { CERTIFICATE_CODES } from './certificate.ts';
import { CLIENT_CODES } from './client.ts';
import { COLD_CODES } from './cold.ts';
import { COMMAND_CODES } from './command.ts';
import { CONFIGURATION_LINT_CODES } from './configuration-lint.ts';
import { DEPLOYMENT_CODES } from './deployment.ts';
import { DEPLOY_CODES } from './deploy.ts';
import { DOCTOR_CODES } from './doctor.ts';
import { EIF_CODES } from './eif.ts';
import { ENCODING_CODES } from './encoding.ts';
import { GATEWAY_CODES } from './gateway.ts';
import { GATEWAY_TEZOS_CODES } from './gateway-tezos.ts';
import { KEY_POLICY_CODES } from './key-policy.ts';
import { GATEWAY_ETHEREUM_CODES } from './gateway-ethereum.ts';
import { LOG_CODES } from './log.ts';
import { PARENT_PEERS_CODES } from './parent-peers.ts';
import { PARENT_CODES } from './parent.ts';
import { PEER_CODES } from './peer.ts';
import { POOL_CODES } from './pool.ts';
import { QUORUM_CODES } from './quorum.ts';
import { RECEIPT_CODES } from './receipt.ts';
import { RECOVERY_CODES } from './recovery.ts';
import { RELEASE_CODES } from './release.ts';
import { REQUEST_CODES } from './request.ts';
import { THRESHOLD_CODES } from './threshold.ts';
import { TRANSACTION_CODES } from './transaction.ts';
import { UPGRADE_CODES } from './upgrade.ts';
import { VAULT_CODES } from './vault.ts';
import { VAULT_STEP_CODES } from './vault-steps.ts';

export type { CodeArea } from './area.ts';

/** Every code that a person can meet, in the order of docs/codes.md. */
export const CODE_AREAS: readonly CodeArea[] = [
  ...COMMAND_CODES,
  ...ATTESTATION_CODES,
  ...CERTIFICATE_CODES,
  ...EIF_CODES,
  ...KEY_POLICY_CODES,
  ...CLIENT_CODES,
  ...COLD_CODES,
  ...GATEWAY_CODES,
  ...GATEWAY_TEZOS_CODES,
  ...CONFIGURATION_LINT_CODES,
  ...REQUEST_CODES,
  ...POOL_CODES,
  ...TRANSACTION_CODES,
  ...THRESHOLD_CODES,
  ...PEER_CODES,
  ...RECEIPT_CODES,
  ...APPROVAL_CODES,
  ...QUORUM_CODES,
  ...CEREMONY_CODES,
  ...RECOVERY_CODES,
  ...BOOT_CODES,
  ...GATEWAY_ETHEREUM_CODES,
  ...LOG_CODES,
  ...PARENT_CODES,
  ...PARENT_PEERS_CODES,
  ...DEPLOYMENT_CODES,
  ...DOCTOR_CODES,
  ...CANTON_CODES,
  ...RELEASE_CODES,
  ...UPGRADE_CODES,
  ...VAULT_CODES,
  ...DEPLOY_CODES,
  ...VAULT_STEP_CODES,
  ...ENCODING_CODES,
];
