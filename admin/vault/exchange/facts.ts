import * as z from 'zod';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const sha384 = hex(48);
const node = z.int().min(1).max(255);
const account = z.string().regex(/^[0-9]{12}$/);
const region = z.string().regex(/^[a-z0-9-]{1,32}$/);
const bucket = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/);
const roleArn = z.string().regex(/^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[\x21-\x7e]{1,512}$/);
const instanceProfileArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:iam::[0-9]{12}:instance-profile\/[\w+=,.@/-]{1,128}$/);
const keyArn = z.string().regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]{1,32}:[0-9]{12}:key\/[a-zA-Z0-9-]{1,64}$/);
const url = z
  .string()
  .max(512)
  .regex(/^https:\/\/[a-zA-Z0-9.:[\]-]+$/);
const version = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
/** Least that a node's store must be, as `parent deploy` prints it. */
const identity = z.strictObject({
  store: hex(32),
  epoch: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  logSize: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
});
const pcrs = z.record(z.string().regex(/^(?:0|1|2|8)$/), sha384);
const release = z.strictObject({ version: z.string().min(1).max(64), pcrJson: sha384, pcrs });
/**
 * Versions of the releases that an upgrade leads from and to, and which upgrade of the vault it is, from 1: one that was
 * rolled back and is tried again is another one, for which statements of the former do not count.
 */
const upgrade = z.strictObject({
  from: z.string().min(1).max(64),
  to: z.string().min(1).max(64),
  attempt: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
});
const areUnique = (numbers: readonly number[]) => new Set(numbers).size === numbers.length;
const nodes = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z
    .array(z.strictObject({ node, ...shape }))
    .min(1)
    .max(255)
    .refine((list: readonly object[]) => areUnique(list.map((each) => (each as { node: number }).node)), {
      error: 'a node is named twice',
    });

/** Schemas of the facts of each step's statement, by the step's name without its role; SPEC.md describes them. */
export const FACTS = {
  baseline: z.strictObject({
    account,
    region,
    bucket,
    securityGroupId: z.string().regex(/^sg-[0-9a-f]{8,17}$/),
    hosts: nodes({ roleArn, roleName: z.string().regex(/^[\w+=,.@-]{1,64}$/), instanceProfileArn }),
  }),
  'kms-stack': z.strictObject({
    account,
    region,
    keyArn,
    /** Ed25519 public key of the key in KMS that signs configurations; null where the stack has none. */
    signingKey: hex(32).nullable(),
    bucket,
  }),
  /** Code of the function that signs configurations: its key in the bucket, and the function's name. */
  'signing-function': z.strictObject({
    code: z.string().regex(/^functions\/[0-9a-f]{64}\.zip$/),
    name: z.string().regex(/^[a-zA-Z0-9-_]{1,64}$/),
  }),
  manifest: z.strictObject({ manifest: sha384, pcr16: sha384 }),
  release,
  configuration: z.strictObject({ configuration: sha384, version }),
  hosts: z.strictObject({
    hosts: nodes({
      instanceId: z.string().regex(/^i-[0-9a-f]{8,17}$/),
      address: z.string().regex(/^[a-zA-Z0-9.:-]{1,255}$/),
    }),
  }),
  nonce: z.strictObject({ nonce: hex(32) }),
  attestations: z.strictObject({ documents: nodes({ nonce: hex(32), sha384 }) }),
  gate: z.strictObject({ policy: sha384, document: sha384, nonce: hex(32) }),
  start: z.strictObject({ nodes: nodes({ url, identity }) }),
  narrow: z.strictObject({
    policy: sha384,
    /** Verifier keys that the node attested, of its log and of its cosignatures. */
    log: z.string().max(512),
    witness: z.string().max(512),
  }),
  /** Configuration by which nodes know the logs of each other, before any of them asks for a cosignature. */
  'peers-configuration': z.strictObject({ configuration: sha384, version }),
  'peers-restart': z.strictObject({ nodes: nodes({ url, identity, version }) }),
  'final-configuration': z.strictObject({ configuration: sha384, version }),
  restart: z.strictObject({ nodes: nodes({ url, identity, version }) }),
  'upgrade-configuration': z.strictObject({
    upgrade,
    old: release,
    new: release,
    /** End of the overlap: from then on the old image is refused. */
    until: z.iso.datetime({ precision: 0 }),
    rebuilt: z.boolean(),
    nonce: hex(32),
    configuration: sha384,
    version,
  }),
  'upgrade-attestations': z.strictObject({ upgrade, documents: nodes({ nonce: hex(32), sha384 }) }),
  'upgrade-gate': z.strictObject({ upgrade, policy: sha384, document: sha384, nonce: hex(32) }),
  'upgrade-nodes': z.strictObject({
    upgrade,
    /** Image that all nodes run: the old one again after a roll back. */
    image: z.enum(['old', 'new']),
    nodes: nodes({ url, identity }),
  }),
  'upgrade-narrow': z.strictObject({ upgrade, policy: sha384 }),
  /** After a roll back: the policy and the configuration in which the old image is alone again. */
  'upgrade-rollback': z.strictObject({ upgrade, policy: sha384, configuration: sha384, version }),
  'upgrade-restore': z.strictObject({ upgrade, nodes: nodes({ url, identity }) }),
  /** Configuration that an admin has signed after the ceremony, beside every upgrade. */
  'change-configuration': z.strictObject({
    /** Number of the change of the vault's rules, from 1, that the node has taken part in last; 0: in none. */
    change: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
    /** SHA-384 of the description from which its rules were derived; null: it was given as it is. */
    rules: sha384.nullable(),
    configuration: sha384,
    version,
  }),
  'change-restart': z.strictObject({ nodes: nodes({ url, identity, version }) }),
} as const;

/** Name of a step without its role: `kms-stack`. */
export type StepName = keyof typeof FACTS;

/** Facts that a step's statement carries. */
export type Facts<Name extends StepName = StepName> = z.infer<(typeof FACTS)[Name]>;

/** Names of all steps, of whichever role. */
export const STEP_NAMES = Object.keys(FACTS) as readonly StepName[];

export const isStepName = (name: string): name is StepName => Object.hasOwn(FACTS, name);
