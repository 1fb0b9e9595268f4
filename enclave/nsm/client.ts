import * as z from 'zod';
import { decodeCbor, encodeCbor, toPlainCbor, type CborEncodable } from '../../shared/cbor/index.ts';
import { MAX_NSM_REQUEST_BYTES, MAX_NSM_RESPONSE_BYTES, type NsmDevice } from './device.ts';
import { NsmError } from './errors.ts';

const bytes = z.instanceof(Uint8Array);
const pcrIndex = z.int().min(0).max(31);

const answerSchemas = {
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

export type NsmDescription = z.infer<(typeof answerSchemas)['DescribeNSM']>;

/** What an attestation document shall vouch for; each at most 1,024 bytes, and absent where left out. */
export interface AttestationFields {
  readonly userData?: Uint8Array;
  readonly nonce?: Uint8Array;
  readonly publicKey?: Uint8Array;
}

/** Typed requests to the Nitro Secure Module, one after the other: the device serves one call at a time. */
export interface NsmClient {
  /** @throws NsmError NSM_FAILED, NSM_REFUSED; so do all the others. */
  describe(): Promise<NsmDescription>;
  describePcr(index: number): Promise<{ locked: boolean; value: Uint8Array }>;
  /** Extends a PCR to SHA-384(old ‖ data) and answers the new value, 48 bytes. */
  extendPcr(index: number, data: Uint8Array): Promise<Uint8Array>;
  lockPcr(index: number): Promise<void>;
  /** Random bytes from the hypervisor; the device gives at most 256 a call. */
  random(length: number): Promise<Uint8Array>;
  /** A COSE_Sign1 attestation document. */
  attest(fields: AttestationFields): Promise<Uint8Array>;
  close(): void;
}

/** The requests and answers of aws-nitro-enclaves-nsm-api, over a device. */
export function createNsmClient(device: NsmDevice): NsmClient {
  let last: Promise<unknown> = Promise.resolve();

  function enqueue<T>(call: () => Promise<T>): Promise<T> {
    const result = last.then(call, call);
    last = result.catch(() => undefined);
    return result;
  }

  async function request(name: string, body?: { readonly [key: string]: CborEncodable }): Promise<unknown> {
    const message = encodeCbor(body === undefined ? name : { [name]: body });
    if (message.length > MAX_NSM_REQUEST_BYTES)
      throw new RangeError(`NSM request of ${message.length} bytes`);
    const answer = await exchange(device, message);
    if (answer === name) return undefined;
    if (typeof answer !== 'object' || answer === null)
      throw new NsmError('NSM_FAILED', 'unexpected answer of the NSM');
    const fields = answer as Record<string, unknown>;
    if (typeof fields['Error'] === 'string') {
      throw new NsmError('NSM_REFUSED', `the NSM refused ${name}`, {
        request: name,
        reason: fields['Error'],
      });
    }
    if (!Object.hasOwn(fields, name)) throw new NsmError('NSM_FAILED', 'unexpected answer of the NSM');
    return fields[name];
  }

  function ask<Name extends keyof typeof answerSchemas>(
    name: Name,
    body?: { readonly [key: string]: CborEncodable },
  ): Promise<z.infer<(typeof answerSchemas)[Name]>> {
    return enqueue(async () => {
      const parsed = answerSchemas[name].safeParse(await request(name, body));
      if (!parsed.success) throw new NsmError('NSM_FAILED', `malformed answer of the NSM to ${name}`);
      return parsed.data as z.infer<(typeof answerSchemas)[Name]>;
    });
  }

  return {
    describe: () => ask('DescribeNSM'),
    describePcr: async (index) => {
      const { lock, data } = await ask('DescribePCR', { index });
      return { locked: lock, value: data };
    },
    extendPcr: async (index, data) => (await ask('ExtendPCR', { index, data })).data,
    lockPcr: (index) =>
      enqueue(async () => {
        if ((await request('LockPCR', { index })) !== undefined) {
          throw new NsmError('NSM_FAILED', 'malformed answer of the NSM to LockPCR');
        }
      }),
    random: async (length) => {
      const collected = new Uint8Array(length);
      for (let offset = 0; offset < length;) {
        const { random } = await ask('GetRandom');
        const part = random.subarray(0, length - offset);
        collected.set(part, offset);
        offset += part.length;
        random.fill(0);
      }
      return collected;
    },
    attest: async ({ userData, nonce, publicKey }) =>
      (
        await ask('Attestation', {
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
    const answer = await device.exchange(message);
    return toPlainCbor(decodeCbor(answer, { maxBytes: MAX_NSM_RESPONSE_BYTES, maxDepth: 4 }));
  } catch (error) {
    throw new NsmError('NSM_FAILED', 'the NSM did not answer', {}, error);
  }
}
