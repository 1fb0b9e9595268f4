import {
  attestationContext,
  buildRequestContext,
  encryptionContext,
  evaluateKeyPolicy,
  parseKeyPolicy,
  type Caller,
  type Evaluation,
  type IdentityDecision,
} from '../../../attestation/key-policy/index.ts';

export const ACCOUNT = '111122223333';
export const FOREIGN_ACCOUNT = '444455556666';
export const KEY_ARN = `arn:aws:kms:eu-central-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

export function session(name: string, accountId: string = ACCOUNT, sessionName = 'session'): Caller {
  return {
    type: 'session',
    accountId,
    roleArn: `arn:aws:iam::${accountId}:role/${name}`,
    sessionArn: `arn:aws:sts::${accountId}:assumed-role/${name}/${sessionName}`,
  };
}

export const NODE_ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/node`;
export const ROOT_ARN = `arn:aws:iam::${ACCOUNT}:root`;

export const PCR = {
  good: new Uint8Array(48).fill(0xab),
  other: new Uint8Array(48).fill(0xcd),
  zero: new Uint8Array(48),
};
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export interface Ask {
  readonly action?: string;
  readonly caller?: Caller;
  readonly identity?: IdentityDecision;
  readonly pcrs?: ReadonlyMap<number, Uint8Array>;
  readonly encryptionContext?: Record<string, string>;
  readonly context?: Record<string, string | string[]>;
}

/** A policy of 2012-10-17 from bare statements. */
export function policyText(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** Asks one question of a policy given as text, kms:Decrypt by the node's role unless the question says otherwise. */
export function ask(text: string, question: Ask = {}): Evaluation {
  return evaluateKeyPolicy(parseKeyPolicy(text), {
    action: question.action ?? 'kms:Decrypt',
    caller: question.caller ?? session('node'),
    keyArn: KEY_ARN,
    identity: question.identity ?? 'none',
    context: buildRequestContext([
      ...attestationContext(question.pcrs ?? new Map()),
      ...encryptionContext(question.encryptionContext ?? {}),
      ...Object.entries(question.context ?? {}),
    ]),
  });
}

export const allowNode = (more: object = {}): object => ({
  Effect: 'Allow',
  Principal: { AWS: NODE_ROLE_ARN },
  Action: 'kms:Decrypt',
  Resource: '*',
  ...more,
});
