import type { CodeArea } from './area.ts';

export const KEY_POLICY_CODES: readonly CodeArea[] = [
  {
    title: 'Key policies: read, and let pass',
    who: '`key-policy lint`, `diff`, `render`, `gate`',
    next: 'Render the policy anew by "holdfast key-policy render".',
    codes: {
      GATE_FINDINGS: [
        'the linter found what stops the policy; each finding has a code of its own below',
        'Mend what the findings say, and ask the gate again with the same document while it is fresh.',
      ],
      GATE_NOT_ADMITTED: [
        'the policy does not let the enclave decrypt that was shown: it would lock the node out',
        'Render the policy with the pcr.json, manifest and node role of that enclave.',
      ],
      POLICY_MALFORMED:
        'JSON, but not a policy that AWS would store: an unknown element, operator, principal or version',
      POLICY_SYNTAX: 'not JSON, or a member twice, or nested too deep',
      POLICY_TOO_COMPLEX: 'it takes too long to question; nobody gets no answer by mistake',
      POLICY_TOO_LARGE: 'longer than AWS takes',
      POLICY_UNBOUND: [
        'the policy would leave out a measurement that has to be in it',
        'Give a pcr.json with PCR0, PCR1 and PCR2, and the manifest.',
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
      CONTEXT_UNBOUND: 'blobs of any node and purpose can be opened',
      DEBUG_IMAGE: 'plaintext for an enclave in debug mode, whose PCR0, PCR1 or PCR2 is zero',
      DENY_WITHOUT_TEETH: 'a Deny with several negated PCRs: all of them have to differ before it applies',
      DESTRUCTION_OPEN: 'others than the admins can delete or stop the key',
      INITIALISE_OPEN: [
        'a second master password can be made by an attested GenerateDataKey, which is needed once',
        'Put the policy without --initialise as soon as the node has started for the first time.',
      ],
      LOCKED_OUT: 'nobody can change the policy',
      MALFORMED_PCR: 'a value that no document carries: not 96 hex digits, or in upper case',
      MINT_OPEN: 'others than the enclave can make blobs for it',
      MIXED_IMAGES: 'measurements of several images in any combination',
      NOT_ACTION: 'an Allow of all but some actions, those that AWS will add included',
      NOT_PRINCIPAL: 'a statement about everybody but some',
      OPEN_PRINCIPAL: 'attested use for callers whom nobody named',
      OTHER_PLATFORM: "a NitroTPM's document is taken for an enclave's",
      PCR_UNBOUND: 'a PCR may have values that the policy does not write out',
      POLICY_CHANGE_OPEN: 'others than the admins can change the policy',
      UNATTESTED_USE: 'plaintext without an attestation document',
      UNEXPECTED_IMAGE: 'a measurement that is of none of the images given',
      UNKNOWN_KEY: 'a condition key that KMS does not have: no request carries it',
      ZERO_PCR_BOUND: 'an unused, all-zero PCR is bound as if it said something',
    },
  },
];
