import type { AuthenticatedRequest, AwsService, StateStore } from '../aws/plumbing.ts';
import { accessDenied, type KeyDecision } from './authorize.ts';
import type { CmsShape } from './cms.ts';
import type { KmsContext } from './context.ts';
import * as cryptoOperations from './crypto-operations.ts';
import * as keyOperations from './key-operations.ts';
import { KeyStore } from './key-store.ts';
import * as signingOperations from './signing-operations.ts';
import type { RecipientVerifier } from './recipient.ts';

export interface KmsOptions {
  readonly state: StateStore;
  /** Who provides the NSM hands in what its documents are verified with. */
  readonly verifyRecipient: RecipientVerifier;
  /** Default `constructed`. */
  readonly cmsShape?: CmsShape;
  /** Told of every decision on a key. */
  readonly onDecision?: (decision: KeyDecision) => void;
}

/** AWS KMS as far as a policy node needs it, deciding by key policy and attestation as AWS does. */
export function createKmsService(options: KmsOptions): AwsService {
  const kms: KmsContext = {
    keys: new KeyStore(options.state),
    verifyRecipient: options.verifyRecipient,
    cmsShape: options.cmsShape ?? 'constructed',
    assertAllowed(decision, request) {
      options.onDecision?.(decision);
      if (decision.decision === 'deny') throw accessDenied(request, decision.keyArn, 'resource-based');
    },
  };
  const bind =
    (operation: (kms: KmsContext, request: AuthenticatedRequest) => unknown) =>
    (request: AuthenticatedRequest): unknown =>
      operation(kms, request);
  return {
    name: 'kms',
    targetPrefix: 'TrentService',
    operations: {
      CancelKeyDeletion: bind(keyOperations.cancelKeyDeletion),
      CreateAlias: bind(keyOperations.createAlias),
      CreateKey: bind(keyOperations.createKey),
      Decrypt: bind(cryptoOperations.decrypt),
      DescribeKey: bind(keyOperations.describeKey),
      DisableKey: bind(keyOperations.disableKey),
      EnableKey: bind(keyOperations.enableKey),
      Encrypt: bind(cryptoOperations.encrypt),
      GenerateDataKey: bind(cryptoOperations.generateDataKey),
      GenerateDataKeyWithoutPlaintext: bind(cryptoOperations.generateDataKeyWithoutPlaintext),
      GenerateRandom: bind(cryptoOperations.generateRandom),
      GetKeyPolicy: bind(keyOperations.getKeyPolicy),
      GetPublicKey: bind(signingOperations.getPublicKey),
      ListAliases: bind(keyOperations.listAliases),
      ListKeys: bind(keyOperations.listKeys),
      PutKeyPolicy: bind(keyOperations.putKeyPolicy),
      ScheduleKeyDeletion: bind(keyOperations.scheduleKeyDeletion),
      Sign: bind(signingOperations.sign),
      UpdateAlias: bind(keyOperations.updateAlias),
    },
  };
}
