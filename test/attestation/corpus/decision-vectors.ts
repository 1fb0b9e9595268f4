import { measureInstanceId, zeroPcr } from '../../../attestation/index.ts';
import * as cbor from '../forge/cbor.ts';
import { AT } from '../forge/chain.ts';
import { encodePcrs, forgedPcr, type DocumentParts, type PayloadFields } from '../forge/document.ts';
import { accept, refuse, type Place, type VectorSource } from './vector.ts';

const pcr = (index: number): Place => ({ field: 'pcrs', index });

function pcrs(...changes: (readonly [index: number, value: Uint8Array | undefined])[]) {
  return (parts: DocumentParts): void => {
    for (const [index, value] of changes) {
      if (value === undefined) parts.pcrs.delete(index);
      else parts.pcrs.set(index, value);
    }
  };
}

function expecting(...changes: (readonly [index: number, value: Uint8Array])[]) {
  return (expected: Map<number, Uint8Array>): void => {
    for (const [index, value] of changes) expected.set(index, value);
  };
}

function fields(changes: PayloadFields) {
  return (parts: DocumentParts): void => {
    Object.assign(parts.fields, changes);
  };
}

const ZERO = zeroPcr();
const ALL_ZERO = pcrs([0, ZERO], [1, ZERO], [2, ZERO]);
const OTHER = forgedPcr('another image');

/** A document whose PCRs are those of a NitroTPM. */
const NITROTPM = (parts: DocumentParts): void => {
  Reflect.set(parts.fields, 'pcrs', undefined);
  parts.fields.nitrotpm_pcrs = encodePcrs(parts.pcrs);
};

type Bound = readonly [option: 'nonce' | 'userData' | 'publicKey', field: keyof PayloadFields, code: string];

function boundVectors([option, field, code]: Bound): VectorSource[] {
  const name = field.replaceAll('_', '-');
  const there = fields({ [field]: cbor.bytes(Uint8Array.of(1, 2, 3)) });
  return [
    accept(`decision/${name}-bound`, 'attested-key-used', `the ${field} that was asked for`, {
      document: there,
      options: { [option]: '010203' },
    }),
    accept(`decision/${name}-not-asked-for`, 'absent-null-empty', `a ${field} that nobody asked for`, {
      document: there,
    }),
    refuse(
      `decision/${name}-other`,
      'attested-key-used',
      `another ${field}`,
      code,
      { field },
      {
        document: there,
        options: { [option]: '010204' },
      },
    ),
    refuse(
      `decision/${name}-prefix`,
      'attested-key-used',
      `a ${field} that only begins like it`,
      code,
      { field },
      {
        document: there,
        options: { [option]: '0102' },
      },
    ),
    refuse(
      `decision/${name}-null`,
      'absent-null-empty',
      `a ${field} that is null`,
      code,
      { field },
      { options: { [option]: '010203' } },
    ),
    refuse(
      `decision/${name}-null-not-empty`,
      'absent-null-empty',
      `null where an empty ${field} was asked for`,
      code,
      { field },
      {
        options: { [option]: '' },
      },
    ),
  ];
}

/** What the caller expects: measurements, age, bound fields. */
export const decisionVectors: VectorSource[] = [
  accept('decision/debug-allowed', 'debug-enclave', 'a debug enclave where it is explicitly allowed', {
    document: ALL_ZERO,
    options: { allowDebug: true },
  }),
  accept('decision/unused-pcrs', 'debug-enclave', 'PCR3, PCR4 and PCR8 are zero: unused', {
    document: pcrs([3, ZERO], [4, ZERO], [8, ZERO]),
    expected: (expected) => expected.delete(8),
  }),
  accept('decision/unused-expected', 'debug-enclave', 'PCR8 is expected to be unused, and is', {
    document: pcrs([8, ZERO]),
    expected: expecting([8, ZERO]),
  }),
  accept('decision/unused-absent', 'sparse-pcrs', 'PCR16 is expected to be unused, and is not there', {
    expected: expecting([16, ZERO]),
  }),
  accept('decision/manifest', 'image-bound-by-one-pcr', 'PCR16 with the manifest', {
    document: pcrs([16, forgedPcr('manifest')]),
    expected: expecting([16, forgedPcr('manifest')]),
  }),
  accept('decision/instance-absent', 'sparse-pcrs', 'no PCR4 to check the instance with', {
    document: pcrs([4, undefined]),
  }),
  refuse('decision/debug', 'debug-enclave', 'a debug enclave', 'DEBUG_ENCLAVE', pcr(0), {
    document: ALL_ZERO,
  }),
  ...[0, 1, 2].map((index) =>
    refuse(
      `decision/pcr${index}-zero`,
      'debug-enclave',
      `PCR${index} alone is zero`,
      'DEBUG_ENCLAVE',
      pcr(index),
      {
        document: pcrs([index, ZERO]),
      },
    ),
  ),
  refuse(
    'decision/debug-in-part',
    'debug-enclave',
    'PCR0 alone is zero, even where debug enclaves are allowed',
    'DEBUG_ENCLAVE',
    pcr(0),
    {
      document: pcrs([0, ZERO]),
      options: { allowDebug: true },
    },
  ),
  refuse(
    'decision/debug-other-signer',
    'debug-enclave',
    'an allowed debug enclave with another PCR8',
    'PCR_MISMATCH',
    pcr(8),
    {
      document: (parts) => {
        ALL_ZERO(parts);
        parts.pcrs.set(8, OTHER);
      },
      options: { allowDebug: true },
    },
  ),
  ...[0, 1, 2].map((index) =>
    refuse(
      `decision/pcr${index}-absent`,
      'sparse-pcrs',
      `no PCR${index}: debug mode could not be told`,
      'PCR_IMAGE_MISSING',
      pcr(index),
      {
        document: pcrs([index, undefined]),
      },
    ),
  ),
  ...[0, 1, 2, 8].map((index) =>
    refuse(
      `decision/pcr${index}-other`,
      'image-bound-by-one-pcr',
      `another PCR${index}`,
      'PCR_MISMATCH',
      pcr(index),
      {
        document: pcrs([index, OTHER]),
      },
    ),
  ),
  refuse(
    'decision/pcr8-unused',
    'image-bound-by-one-pcr',
    'an image that should be signed and is not',
    'PCR_MISMATCH',
    pcr(8),
    {
      document: pcrs([8, ZERO]),
    },
  ),
  refuse(
    'decision/pcr8-unexpected',
    'image-bound-by-one-pcr',
    'an image that should not be signed and is',
    'PCR_MISMATCH',
    pcr(8),
    {
      expected: expecting([8, ZERO]),
    },
  ),
  refuse(
    'decision/manifest-absent',
    'image-bound-by-one-pcr',
    'no PCR16 where a manifest is expected',
    'PCR_MISSING',
    pcr(16),
    {
      expected: expecting([16, forgedPcr('manifest')]),
    },
  ),
  refuse('decision/manifest-other', 'image-bound-by-one-pcr', 'another manifest', 'PCR_MISMATCH', pcr(16), {
    document: pcrs([16, OTHER]),
    expected: expecting([16, forgedPcr('manifest')]),
  }),
  refuse(
    'decision/other-instance',
    'instance-bound-alone',
    'PCR4 of another instance than module_id names',
    'PCR_INSTANCE',
    pcr(4),
    {
      document: pcrs([4, measureInstanceId('i-0123456789abcdef1')]),
    },
  ),

  accept('decision/max-age', 'pcrs-from-build-alone', 'a document just as old as allowed', {
    document: fields({ timestamp: cbor.integer(AT - 60_000) }),
    options: { maxAgeMs: 60_000 },
  }),
  refuse(
    'decision/too-old',
    'pcrs-from-build-alone',
    'a document a millisecond too old',
    'DOCUMENT_TOO_OLD',
    { field: 'timestamp' },
    {
      document: fields({ timestamp: cbor.integer(AT - 60_001) }),
      options: { maxAgeMs: 60_000 },
    },
  ),
  accept('decision/clock-skew', 'host-driven-clock', 'a hypervisor whose clock is a minute ahead', {
    document: fields({ timestamp: cbor.integer(AT + 60_000) }),
  }),
  refuse(
    'decision/from-future',
    'host-driven-clock',
    'a hypervisor whose clock is more than a minute ahead',
    'DOCUMENT_FROM_FUTURE',
    { field: 'timestamp' },
    {
      document: fields({ timestamp: cbor.integer(AT + 60_001) }),
    },
  ),

  ...(
    [
      ['nonce', 'nonce', 'NONCE_MISMATCH'],
      ['userData', 'user_data', 'USER_DATA_MISMATCH'],
      ['publicKey', 'public_key', 'PUBLIC_KEY_MISMATCH'],
    ] as const
  ).flatMap(boundVectors),

  accept('decision/nitrotpm', 'document-field-rules', 'a NitroTPM document where one is asked for', {
    document: NITROTPM,
    options: { kind: 'nitrotpm' },
  }),
  accept('decision/nitrotpm-zero', 'document-field-rules', 'a NitroTPM document has zero PCRs of its own', {
    document: (parts) => {
      pcrs([0, ZERO], [1, undefined], [4, OTHER])(parts);
      NITROTPM(parts);
    },
    expected: (expected) => {
      expected.clear();
      expected.set(4, OTHER);
    },
    options: { kind: 'nitrotpm' },
  }),
  refuse(
    'decision/nitrotpm-not-asked-for',
    'document-field-rules',
    'a NitroTPM document where an enclave is asked for',
    'DOCUMENT_KIND',
    { field: 'nitrotpm_pcrs' },
    {
      document: NITROTPM,
    },
  ),
  refuse(
    'decision/enclave-not-asked-for',
    'document-field-rules',
    'an enclave where a NitroTPM is asked for',
    'DOCUMENT_KIND',
    { field: 'pcrs' },
    {
      options: { kind: 'nitrotpm' },
    },
  ),
  refuse(
    'decision/both-kinds',
    'document-field-rules',
    'PCRs of both kinds',
    'DOCUMENT_KIND',
    { field: 'pcrs' },
    {
      document: (parts) => {
        parts.fields.nitrotpm_pcrs = encodePcrs(parts.pcrs);
      },
    },
  ),
];
