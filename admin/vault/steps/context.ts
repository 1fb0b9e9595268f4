import type { KeyObject } from 'node:crypto';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import type { PcrValues } from '../../../attestation/index.ts';
import type { Exchange } from '../exchange/index.ts';
import type { DerivedStack } from '../derive/stacks.ts';
import type { Role, VaultDocument } from '../index.ts';

/** Clients of AWS with the role's own credentials, one a service and Region, opened when they are first asked for. */
export interface AwsClients {
  cloudFormation(region: string): Promise<CloudFormationClient>;
  kms(region: string): Promise<KMSClient>;
  lambda(region: string): Promise<LambdaClient>;
  s3(region: string): Promise<S3Client>;
  ssm(region: string): Promise<SSMClient>;
  sts(region: string): Promise<STSClient>;
}

/** Role's own memory on its machine, which nobody else reads: what a crash must not lose, and nothing secret. */
export interface Journal {
  get(name: string): unknown;
  /** Resolves when the value is on the disk; undefined forgets it. */
  set(name: string, value: unknown): Promise<void>;
}

/** Release that was fetched and verified before. */
export interface ReleaseFiles {
  readonly version: string;
  readonly pcrJson: Uint8Array;
  /** SHA-384 of the enclave image in hex, and its length. */
  readonly image: { readonly sha384: string; readonly bytes: number };
  readImage(): Promise<Uint8Array>;
}

/** What a node attests, verified as a client does. */
export interface AttestedNode {
  /** Version of the configuration in force. */
  readonly version: number;
  /** Verifier key of the node's log. */
  readonly log: string;
  /** Verifier key by which the node cosigns the logs of others. */
  readonly witness: string;
}

/** Template of a stack, and the policy that guards what is in it. */
export interface StackTemplate {
  readonly text: string;
  /** JSON of the stack policy, by which CloudFormation itself refuses what would lose a key or data. */
  readonly policy: string;
}

/** Everything that steps see of the world, with one role's credentials alone. */
export interface StepContext {
  readonly vault: VaultDocument;
  readonly role: Role;
  readonly exchange: Exchange;
  readonly journal: Journal;
  readonly aws: AwsClients;
  /** Private keys of configuration authorities, Ed25519. */
  readonly authorities: readonly KeyObject[];
  /** Private key by which the role signs what it tells the others, Ed25519. */
  readonly statementKey: KeyObject;
  /** Trust anchor of attestation documents, a certificate in DER. */
  readonly root: Uint8Array;
  /**
   * Opens a release that was fetched and verified: that of a version, or the one that vault.yaml names.
   *
   * @throws StepError VAULT_RELEASE_KEY_UNKNOWN; ReleaseError
   */
  release(version?: string): Promise<ReleaseFiles>;
  /** Whether "vault fetch --rebuild" has recorded on this machine that the image of a release was rebuilt, byte for byte. */
  isRebuilt(version: string): Promise<boolean>;
  /** Template of a stack, as it is given to CloudFormation. */
  template(name: DerivedStack['template']): Promise<StackTemplate>;
  /** Code of the function that signs configurations, and the key under which a node's stack expects it. */
  signingFunction(): Promise<{ readonly key: string; readonly zip: Uint8Array }>;
  /** Asks a node for its attestation and verifies it. */
  attest(url: string, expected: { manifest: Uint8Array; pcrs: PcrValues }): Promise<AttestedNode>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Says what is waited for, and how far it is. */
  progress(label: string, done: number, total: number): void;
}
