import type { CodeArea } from './area.ts';

export const KEY_POLICY_CODES: readonly CodeArea[] = [
  {
    title: 'Key policies: read, and let pass',
    who: '`key-policy lint`, `diff`, `render`, `gate`',
    next: 'Render the policy anew by "holdfast key-policy render".',
    codes: {
      GATE_EXCEPTION: [
        'an exception names no statement of the policy, or more than one',
        'Name one statement by its Sid or its digest.',
      ],
      GATE_FINDINGS: [
        'the linter found what stops the policy; each finding has a code of its own below',
        'Mend what the findings say, and ask the gate again with the same document while it is fresh.',
      ],
      GATE_NOT_ADMITTED: [
        'the policy does not let the enclave decrypt that was shown: it would lock the node out',
        'Render the policy with the pcr.json, manifest and node role of that enclave.',
      ],
      GATE_UNPROVEN: [
        'a statement that "key-policy render" does not write for what was stated, and that is of no harmless form',
        'Render the policy anew; or take the statement out; or record an exception for it, with its reason.',
      ],
      POLICY_MALFORMED:
        'JSON, but not a policy that AWS would store: an unknown element, operator, principal or version',
      POLICY_NAME: [
        'another policy of the key than "default", such as AWS_RAM',
        'Give "aws kms get-key-policy --policy-name default"; "key-policy lint" reads the other one too, by itself.',
      ],
      POLICY_ROLE_MISMATCH: [
        'PCR3 in pcr.json is not the measurement of the node role: no enclave of that role would ever decrypt',
        'PCR3 is SHA-384 of 48 zero bytes followed by the ARN of the role; give the role whose PCR3 it is.',
      ],
      POLICY_SYNTAX: 'not JSON, or a member twice, or nested too deep',
      POLICY_TOO_COMPLEX: 'it takes too long to question; nobody gets no answer by mistake',
      POLICY_TOO_LARGE: 'longer than AWS takes',
      POLICY_UNBOUND: [
        'the policy would leave out a measurement that has to be in it',
        'Give a pcr.json with PCR0, PCR1 and PCR2, and the manifest.',
      ],
      POLICY_UNRESOLVED: [
        'a template of CloudFormation or CDK, whose functions (Ref, Fn::…) are not filled in',
        'Read the policy back from AWS by "aws kms get-key-policy".',
      ],
    },
  },
  {
    title: 'Key policies: what lint finds',
    who: '`key-policy lint` and `gate`, about one statement or what is missing',
    next: 'Do what the finding\'s "fix" says, or render the policy anew by "holdfast key-policy render".',
    codes: {
      ANY_IMAGE: 'plaintext for whatever image is attested: some document is asked for, but not whose',
      ATTESTATION_BYPASS: 'a grant or a re-encryption, which no attestation binds',
      CANNOT_DECRYPT:
        'the image, manifest and role that were stated do not get the secret: the node is locked out',
      CONTEXT_UNBOUND: 'blobs of any node and purpose can be opened',
      DEBUG_IMAGE: 'plaintext for an enclave in debug mode, whose PCR0, PCR1 or PCR2 is zero',
      DENY_WITHOUT_TEETH: 'a Deny with several negated PCRs: all of them have to differ before it applies',
      DESTRUCTION_OPEN: 'others than the admins can delete or stop the key',
      FUTURE_ACTIONS: 'a pattern that lets through whatever actions AWS will add',
      INITIALISE_OPEN: [
        'a second master password can be made by an attested GenerateDataKey, which is needed once',
        'Put the policy without --initialise as soon as the node has started for the first time.',
      ],
      LOCKED_OUT: 'nobody can change the policy',
      MALFORMED_PCR: 'a value that no document carries: not 96 hex digits, or in upper case',
      MANAGEMENT_OPEN: "others than the admins can change the key's life, though not its secrets",
      MINT_OPEN: 'others than the enclave can make blobs for it',
      MIXED_IMAGES: 'measurements of several images in any combination',
      NEVER_ATTESTED: 'an action that takes no attestation document, where one is required: it never applies',
      NOT_ACTION: 'an Allow of all but some actions, those that AWS will add included',
      NOT_PRINCIPAL: 'a statement about everybody but some',
      OPEN_PRINCIPAL: 'attested use for callers whom nobody named',
      OTHER_KEY_USE: 'an action of keys of another kind',
      OTHER_PLATFORM: "a NitroTPM's document is taken for an enclave's",
      PCR3_MISMATCH: 'PCR3 is not the measurement of the node role beside it',
      PCR_UNBOUND: 'a PCR may have values that the policy does not write out',
      POLICY_CHANGE_OPEN: 'others than the admins can change the policy',
      UNATTESTED_USE: 'plaintext without an attestation document',
      UNEXPECTED_IMAGE: 'a measurement that is of none of the images given',
      UNKNOWN_ACTION: 'an action that AWS does not have: mistyped, or newer than this version',
      UNKNOWN_KEY: 'a condition key that KMS does not have: no request carries it',
      ZERO_PCR_BOUND: 'an unused, all-zero PCR is bound as if it said something',
    },
  },
];
