import type { CodeArea } from './area.ts';

/** Codes of the functions of deploy/functions. */
export const DEPLOY_CODES: readonly CodeArea[] = [
  {
    title: 'Functions of the stacks',
    who: "the config signing function and the custom resource of a node's KMS stack",
    next: 'Nothing was signed and nothing changed. See docs/vault-stacks.md.',
    codes: {
      SIGNING_REQUEST_MALFORMED: [
        'the event is not a request that the config signing function takes',
        'Send action "describe" or "sign" with the configuration in base64, and no other members.',
      ],
      SIGNING_MANIFEST_MISSING: [
        "the bucket of the node's stack has no manifest.json",
        'Put the very bytes of the manifest there; the function signs for that manifest alone.',
      ],
      SIGNING_OTHER_NODE: [
        'the manifest in the bucket is of another node, or of another KMS key than the stack has',
        'Put the manifest of this node there. A manifest names the key of its own stack.',
      ],
      SIGNING_LINT_FAILED: [
        'config lint finds errors in the configuration; the details have them',
        'Mend them, and have the change described again.',
      ],
      SIGNING_NOT_CONFIRMED: [
        'the confirmation is not of this configuration against the newest one: either has changed since it was described',
        'Have it described again, read what changes, and confirm that.',
      ],
      SIGNING_STORE_UNREADABLE: [
        'the configurations in the bucket are not numbered without a gap, or one of them is signed by no authority',
        'Look at who wrote the object that the details name: the access log of the bucket has it. Its versions are all kept.',
      ],
      SIGNING_OTHER_KEY: [
        'KMS answered for another key than the stack has, or with what is no signature of it',
        'Look whether SigningKey of the stack is an ECC_NIST_EDWARDS25519 key, and whether something is in the way to KMS.',
      ],
      SIGNING_UNAVAILABLE: [
        'KMS or S3 refused, or did not answer in time; the details have the name of the error',
        'Send the same request again: what was written already is found, and nothing is signed twice.',
      ],
      POPULATE_REQUEST_MALFORMED: [
        'the event of the custom resource is not one of CloudFormation, or has other properties than SecretId and Generation',
        'Compare the stack with its template.',
      ],
      POPULATE_GENERATION_OLD: [
        'an API key from before the previous one was asked for again',
        'Give GatewaySecretGeneration a number that it has not had: what was given up stays given up.',
      ],
      POPULATE_UNAVAILABLE: [
        'Secrets Manager refused, or did not answer in time; the name of its error stands behind',
        'Update the stack again: what was made already is found.',
      ],
    },
  },
];
