import type { KmsContext, KmsResult } from '../context.ts';
import * as aliases from './aliases.ts';
import * as changes from './changes.ts';
import * as encryption from './encryption.ts';
import * as keys from './keys.ts';
import * as macs from './macs.ts';
import * as signing from './signing.ts';

/** An operation of KMS. */
export interface KmsOperation {
  readonly run: (context: KmsContext, input: unknown) => Promise<KmsResult>;
  /**
   * Whether its result is kept for repeated tries of the same call: it does something, and its response holds no secret.
   */
  readonly isKept: boolean;
}

const kept = (run: KmsOperation['run']): KmsOperation => ({ run, isKept: true });
const fresh = (run: KmsOperation['run']): KmsOperation => ({ run, isKept: false });

/** Operations by AWS's names. */
export const OPERATIONS: Readonly<Record<string, KmsOperation>> = {
  CancelKeyDeletion: kept(changes.cancelKeyDeletion),
  CreateAlias: kept(aliases.createAlias),
  CreateKey: kept(keys.createKey),
  Decrypt: fresh(encryption.decrypt),
  DeleteAlias: kept(aliases.deleteAlias),
  DeriveSharedSecret: fresh(macs.deriveSharedSecret),
  DescribeKey: fresh(keys.describe),
  DisableKey: kept(changes.disableKey),
  EnableKey: kept(changes.enableKey),
  Encrypt: kept(encryption.encrypt),
  GenerateDataKey: fresh(encryption.generateDataKey),
  GenerateDataKeyWithoutPlaintext: kept(encryption.generateSealedDataKey),
  GenerateMac: kept(macs.generateMac),
  GenerateRandom: fresh(macs.generateRandom),
  GetKeyPolicy: fresh(keys.getKeyPolicy),
  GetKeyRotationStatus: fresh(keys.getKeyRotationStatus),
  GetPublicKey: fresh(keys.getPublicKey),
  ListAliases: fresh(aliases.listAliases),
  ListKeyPolicies: fresh(keys.listKeyPolicies),
  ListKeys: fresh(keys.listKeys),
  ListResourceTags: fresh(keys.listResourceTags),
  ReEncrypt: kept(encryption.reEncrypt),
  ScheduleKeyDeletion: kept(changes.scheduleKeyDeletion),
  Sign: kept(signing.sign),
  TagResource: kept(changes.tagResource),
  UntagResource: kept(changes.untagResource),
  UpdateAlias: kept(aliases.updateAlias),
  UpdateKeyDescription: kept(changes.updateKeyDescription),
  Verify: fresh(signing.verify),
  VerifyMac: fresh(macs.verifyMac),
};
