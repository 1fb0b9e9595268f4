import type { JsonService, StateStore } from '../aws/plumbing.ts';
import { AliasStore } from './model/alias-store.ts';
import type { KeyDecision } from './model/authorize.ts';
import type { CmsShape } from './model/cms.ts';
import type { KmsContext, KmsOperation } from './model/context.ts';
import { GrantStore } from './model/grant-store.ts';
import { KeyStore } from './model/key-store.ts';
import * as aliases from './operations/aliases.ts';
import { createKey } from './operations/create-key.ts';
import * as dataKeys from './operations/data-keys.ts';
import * as encryption from './operations/encryption.ts';
import * as grants from './operations/grants.ts';
import * as keys from './operations/keys.ts';
import * as macs from './operations/macs.ts';
import * as policies from './operations/policies.ts';
import * as rotation from './operations/rotation.ts';
import * as sharedSecrets from './operations/shared-secrets.ts';
import * as signing from './operations/signing.ts';
import * as tags from './operations/tags.ts';
import type { RecipientVerifier } from './model/recipient.ts';

export interface KmsOptions {
  readonly state: StateStore;
  /** Verifier of attestation documents, handed in by the provider of the NSM. */
  readonly verifyRecipient: RecipientVerifier;
  /** Shape of CMS content; `constructed` when left out. */
  readonly cmsShape?: CmsShape;
  /** Whether an account was closed, whose keys nobody uses then; none when left out. */
  readonly isClosed?: (accountId: string) => boolean;
  /** Called for every decision on a key. */
  readonly onDecision?: (decision: KeyDecision) => void;
}

/** Operations by AWS's names. Absent are imports, replicas, custom key stores and GetKeyLastUsage. */
const OPERATIONS: Readonly<Record<string, KmsOperation>> = {
  CancelKeyDeletion: keys.cancelKeyDeletion,
  CreateAlias: aliases.createAlias,
  CreateGrant: grants.createGrant,
  CreateKey: createKey,
  Decapsulate: sharedSecrets.decapsulate,
  Decrypt: encryption.decrypt,
  DeleteAlias: aliases.deleteAlias,
  DeriveSharedSecret: sharedSecrets.deriveSharedSecret,
  DescribeKey: keys.describeKey,
  DisableKey: keys.disableKey,
  DisableKeyRotation: rotation.disableKeyRotation,
  EnableKey: keys.enableKey,
  EnableKeyRotation: rotation.enableKeyRotation,
  Encapsulate: sharedSecrets.encapsulate,
  Encrypt: encryption.encrypt,
  GenerateDataKey: dataKeys.generateDataKey,
  GenerateDataKeyPair: dataKeys.generateDataKeyPair,
  GenerateDataKeyPairWithoutPlaintext: dataKeys.generateDataKeyPairWithoutPlaintext,
  GenerateDataKeyWithoutPlaintext: dataKeys.generateDataKeyWithoutPlaintext,
  GenerateMac: macs.generateMac,
  GenerateRandom: dataKeys.generateRandom,
  GetKeyPolicy: policies.getKeyPolicy,
  GetKeyRotationStatus: rotation.getKeyRotationStatus,
  GetPublicKey: signing.getPublicKey,
  ListAliases: aliases.listAliases,
  ListGrants: grants.listGrants,
  ListKeyPolicies: policies.listKeyPolicies,
  ListKeyRotations: rotation.listKeyRotations,
  ListKeys: keys.listKeys,
  ListResourceTags: tags.listResourceTags,
  ListRetirableGrants: grants.listRetirableGrants,
  PutKeyPolicy: policies.putKeyPolicy,
  ReEncrypt: encryption.reEncrypt,
  RetireGrant: grants.retireGrant,
  RevokeGrant: grants.revokeGrant,
  RotateKeyOnDemand: rotation.rotateKeyOnDemand,
  ScheduleKeyDeletion: keys.scheduleKeyDeletion,
  Sign: signing.sign,
  TagResource: tags.tagResource,
  UntagResource: tags.untagResource,
  UpdateAlias: aliases.updateAlias,
  UpdateKeyDescription: keys.updateKeyDescription,
  Verify: signing.verify,
  VerifyMac: macs.verifyMac,
};

/** Creates AWS KMS for keys of its own making, deciding by key policy, IAM, grants and attestation as AWS does. */
export function createKmsService(options: KmsOptions): JsonService {
  const { state, verifyRecipient, cmsShape = 'constructed', isClosed = () => false, onDecision } = options;
  const store = new KeyStore(state);
  const kms: KmsContext = {
    keys: store,
    aliases: new AliasStore(state, store),
    grants: new GrantStore(state),
    verifyRecipient,
    cmsShape,
    isClosed,
    onDecision,
  };
  return {
    name: 'kms',
    targetPrefix: 'TrentService',
    operations: Object.fromEntries(
      Object.entries(OPERATIONS).map(([name, operation]) => [name, (request) => operation(kms, request)]),
    ),
  };
}
