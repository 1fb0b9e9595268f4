import * as z from 'zod';
import { decodeCbor, encodeCbor, toPlainCbor, type CborEncodable } from '../../shared/cbor/index.ts';
import { MAX_NSM_REQUEST_BYTES, MAX_NSM_RESPONSE_BYTES, type NsmDevice } from './device.ts';
import { NsmError } from './errors.ts';
import { createSequence } from '../../shared/sequence.ts';

const bytes = z.instanceof(Uint8Array);
const pcrIndex = z.int().min(0).max(31);

const responseSchemas = {
  DescribeNSM: z.object({
    version_major: z.int(),
    version_minor: z.int(),
    version_patch: z.int(),
    module_id: z.string().min(1).max(256),
    max_pcrs: z.int().min(1).max(32),
    locked_pcrs: z.array(pcrIndex).max(32),
    digest: z.literal('SHA384'),
  }),
  DescribePCR: z.object({ lock: z.boolean(), data: bytes }),
  ExtendPCR: z.object({ data: bytes }),
  GetRandom: z.object({ random: bytes.refine(({ length }) => length > 0) }),
  Attestation: z.object({ document: bytes.refine(({ length }) => length > 0) }),
} as const;

export type NsmDescription = z.infer<(typeof responseSchemas)['DescribeNSM']>;

/** Fields that an attestation document vouches for, each at most 1,024 bytes; those left out are absent in it. */
export interface AttestationFields {
  readonly userData?: Uint8Array;
  readonly nonce?: Uint8Array;
  readonly publicKey?: Uint8Array;
}

/** Typed requests to the Nitro Secure Module, one after the other: the device serves one call at a time. */
export interface NsmClient {
  /** Describes the module. All methods but `close` throw NsmError NSM_FAILED or NSM_REFUSED. */
  describe(): Promise<NsmDescription>;
  describePcr(index: number): Promise<{ locked: boolean; value: Uint8Array }>;
  /** Extends a PCR to SHA-384(old ‖ data) and returns the new value, 48 bytes. */
  extendPcr(index: number, data: Uint8Array): Promise<Uint8Array>;
  lockPcr(index: number): Promise<void>;
  /** Gets random bytes from the hypervisor, in as many calls as needed: the device gives at most 256 bytes each. */
  random(length: number): Promise<Uint8Array>;
  /** Gets a COSE_Sign1 attestation document. */
  attest(fields: AttestationFields): Promise<Uint8Array>;
  close(): void;
}

/** Creates a client that speaks the CBOR requests and responses of aws-nitro-enclaves-nsm-api over a device. */
export function createNsmClient(device: NsmDevice): NsmClient {
  const enqueue = createSequence();

  async function request(name: string, body?: { readonly [key: string]: CborEncodable }): Promise<unknown> {
    const message = encodeCbor(body === undefined ? name : { [name]: body });
    if (message.length > MAX_NSM_REQUEST_BYTES)
      throw new RangeError(`NSM request of ${message.length} bytes`);
    const response = await exchange(device, message);
    if (response === name) return undefined;
    if (typeof response !== 'object' || response === null)
      throw new NsmError('NSM_FAILED', `expected a response to ${name}, found a ${typeof response}`);
    const fields = response as Record<string, unknown>;
    if (typeof fields['Error'] === 'string') {
      throw new NsmError('NSM_REFUSED', `the NSM refused ${name}`, {
        request: name,
        reason: fields['Error'],
      });
    }
    if (!Object.hasOwn(fields, name))
      throw new NsmError('NSM_FAILED', `the response of the NSM is not to ${name}`);
    return fields[name];
  }

  function call<Name extends keyof typeof responseSchemas>(
    name: Name,
    body?: { readonly [key: string]: CborEncodable },
  ): Promise<z.infer<(typeof responseSchemas)[Name]>> {
    return enqueue(async () => {
      const parsed = responseSchemas[name].safeParse(await request(name, body));
      if (!parsed.success)
        throw new NsmError(
          'NSM_FAILED',
          `the response of the NSM to ${name} lacks a field, or has one of another type`,
        );
      return parsed.data as z.infer<(typeof responseSchemas)[Name]>;
    });
  }

  return {
    describe: () => call('DescribeNSM'),
    describePcr: async (index) => {
      const { lock, data } = await call('DescribePCR', { index });
      return { locked: lock, value: data };
    },
    extendPcr: async (index, data) => (await call('ExtendPCR', { index, data })).data,
    lockPcr: (index) =>
      enqueue(async () => {
        if ((await request('LockPCR', { index })) !== undefined) {
          throw new NsmError('NSM_FAILED', 'expected a response to LockPCR without fields');
        }
      }),
    random: async (length) => {
      const collected = new Uint8Array(length);
      for (let offset = 0; offset < length;) {
        const { random } = await call('GetRandom');
        const part = random.subarray(0, length - offset);
        collected.set(part, offset);
        offset += part.length;
        random.fill(0);
      }
      return collected;
    },
    attest: async ({ userData, nonce, publicKey }) =>
      (
        await call('Attestation', {
          user_data: userData ?? null,
          nonce: nonce ?? null,
          public_key: publicKey ?? null,
        })
      ).document,
    close: () => device.close(),
  };
}

async function exchange(device: NsmDevice, message: Uint8Array): Promise<unknown> {
  try {
    const response = await device.exchange(message);
    return toPlainCbor(decodeCbor(response, { maxBytes: MAX_NSM_RESPONSE_BYTES, maxDepth: 4 }));
  } catch (error) {
    throw new NsmError('NSM_FAILED', 'the NSM gave no response, or one that is not CBOR', {}, error);
  }
}
