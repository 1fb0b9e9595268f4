import type { KeyObject } from 'node:crypto';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import type { PcrValues } from '../../../attestation/index.ts';
import type { Exchange } from '../exchange/index.ts';
import type { Role, VaultDocument } from '../index.ts';

/** Clients of AWS with the role's own credentials, one a service and Region, opened when they are first asked for. */
export interface AwsClients {
  cloudFormation(region: string): Promise<CloudFormationClient>;
  kms(region: string): Promise<KMSClient>;
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
  /** Digests of every file of the release, SHA-384 in hex, by name. */
  readonly digests: ReadonlyMap<string, string>;
  /** Reads a file: `enclave.eif`. */
  read(name: string): Promise<Uint8Array>;
}

/** What a node attests, verified as a client does. */
export interface AttestedNode {
  /** Version of the configuration in force. */
  readonly version: number;
  /** SHA-384 of the configuration in force, hex; null where the node says none. */
  readonly log: string | null;
  readonly witness: string | null;
}

/** Template of a stack, as it is given to CloudFormation. */
export type TemplateName = 'infrastructure' | 'node' | 'host';

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
  /** Opens the release that vault.yaml names. @throws StepError VAULT_RELEASE_OTHER */
  release(): Promise<ReleaseFiles>;
  template(name: TemplateName): Promise<string>;
  /** Asks a node for its attestation and verifies it. */
  attest(url: string, expected: { manifest: Uint8Array; pcrs: PcrValues }): Promise<AttestedNode>;
  /** Milliseconds since 1970. */
  clock(): number;
  random(bytes: number): Uint8Array;
  sleep(milliseconds: number): Promise<void>;
  readonly signal: AbortSignal;
  /** Says what is waited for, and how far it is. */
  progress(label: string, done: number, total: number): void;
}
