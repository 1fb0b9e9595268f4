import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { decodeCbor, encodeCbor, toPlainCbor, type CborEncodable } from '../../shared/cbor/index.ts';
import { MAX_NSM_REQUEST_BYTES, type NsmDevice } from '../../enclave/nsm/device.ts';
import { PCR_COUNT, PcrBank } from './pcrs.ts';
import type { EnclaveChain, NitroRoot } from './root.ts';
import { signDocument } from './sign-document.ts';

/** Error names of aws-nitro-enclaves-nsm-api, as its CBOR shows them. */
type ErrorName =
  | 'InvalidArgument'
  | 'InvalidIndex'
  | 'ReadOnlyIndex'
  | 'InvalidOperation'
  | 'InputTooLarge'
  | 'InternalError';

const MAX_EXTEND_BYTES = 512;
const MAX_FIELD_BYTES = 1024;
const RANDOM_BYTES = 256;
/** Milliseconds before its end at which a leaf is renewed. */
const RENEW_BEFORE = 3_600_000;

const bytes = z.instanceof(Uint8Array);
const u16 = z.int().min(0).max(0xffff);
const field = bytes.nullish();
const schemas = {
  DescribePCR: z.strictObject({ index: u16 }),
  ExtendPCR: z.strictObject({ index: u16, data: bytes }),
  LockPCR: z.strictObject({ index: u16 }),
  LockPCRs: z.strictObject({ range: u16 }),
  Attestation: z.strictObject({ user_data: field, nonce: field, public_key: field }),
} as const;

export interface EmulatedNsmOptions {
  readonly root: NitroRoot;
  /** Instance id: `i-` and 17 hex digits. */
  readonly instanceId: string;
  /** Module id: `instance id-enc` and 16 hex digits. */
  readonly moduleId: string;
  /** PCRs that the hypervisor has measured, 48 bytes each: at least 0, 1 and 2. */
  readonly measured: ReadonlyMap<number, Uint8Array>;
  /** Clock in milliseconds since 1970. */
  readonly clock: () => number;
}

class Refusal extends Error {
  readonly reason: ErrorName;
  constructor(reason: ErrorName) {
    super(reason);
    this.reason = reason;
  }
}

/** Nitro Secure Module in software: the requests, responses, limits and error names of /dev/nsm, really signing. */
export class EmulatedNsm implements NsmDevice {
  readonly #options: EmulatedNsmOptions;
  readonly #pcrs: PcrBank;
  #chain: EnclaveChain | undefined;
  #closed = false;

  constructor(options: EmulatedNsmOptions) {
    this.#options = options;
    this.#pcrs = new PcrBank(options.measured);
  }

  async exchange(request: Uint8Array): Promise<Uint8Array> {
    if (this.#closed) throw new Error('expected an open device, found a closed one');
    try {
      return encodeCbor(await this.#answer(request));
    } catch (error) {
      return encodeCbor({ Error: error instanceof Refusal ? error.reason : 'InternalError' });
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #answer(request: Uint8Array): Promise<CborEncodable> {
    const { name, body } = parseRequest(request);
    switch (name) {
      case 'DescribeNSM':
        return { DescribeNSM: this.#describe() };
      case 'GetRandom':
        return { GetRandom: { random: new Uint8Array(randomBytes(RANDOM_BYTES)) } };
      case 'DescribePCR': {
        const index = this.#assertIndex(parse(schemas.DescribePCR, body).index);
        return { DescribePCR: { lock: this.#pcrs.isLocked(index), data: this.#pcrs.value(index) } };
      }
      case 'ExtendPCR': {
        const { index, data } = parse(schemas.ExtendPCR, body);
        this.#assertWritable(index);
        if (data.length === 0) throw new Refusal('InvalidArgument');
        if (data.length > MAX_EXTEND_BYTES) throw new Refusal('InputTooLarge');
        return { ExtendPCR: { data: this.#pcrs.extend(index, data) } };
      }
      case 'LockPCR': {
        const { index } = parse(schemas.LockPCR, body);
        this.#assertWritable(index);
        this.#pcrs.lock(index);
        return 'LockPCR';
      }
      case 'LockPCRs': {
        const { range } = parse(schemas.LockPCRs, body);
        if (range > PCR_COUNT) throw new Refusal('InvalidIndex');
        for (let index = 0; index < range; index += 1) this.#pcrs.lock(index);
        return 'LockPCRs';
      }
      case 'Attestation':
        return { Attestation: { document: await this.#attest(parse(schemas.Attestation, body)) } };
      default:
        throw new Refusal('InvalidOperation');
    }
  }

  #describe(): CborEncodable {
    return {
      version_major: 1,
      version_minor: 0,
      version_patch: 0,
      module_id: this.#options.moduleId,
      max_pcrs: PCR_COUNT,
      locked_pcrs: this.#pcrs.locked,
      digest: 'SHA384',
    };
  }

  #assertIndex(index: number): number {
    if (!this.#pcrs.has(index)) throw new Refusal('InvalidIndex');
    return index;
  }

  #assertWritable(index: number): void {
    if (this.#pcrs.isLocked(this.#assertIndex(index))) throw new Refusal('ReadOnlyIndex');
  }

  async #attest(fields: z.infer<typeof schemas.Attestation>): Promise<Uint8Array> {
    const { user_data = null, nonce = null, public_key = null } = fields;
    for (const value of [user_data, nonce, public_key]) {
      if (value !== null && value.length > MAX_FIELD_BYTES) throw new Refusal('InputTooLarge');
    }
    const now = this.#options.clock();
    return signDocument(
      {
        moduleId: this.#options.moduleId,
        timestamp: now,
        pcrs: this.#pcrs.attested(),
        publicKey: public_key,
        userData: user_data,
        nonce,
      },
      await this.#currentChain(now),
    );
  }

  async #currentChain(now: number): Promise<EnclaveChain> {
    if (this.#chain === undefined || this.#chain.notAfter - now < RENEW_BEFORE) {
      this.#chain = await this.#options.root.issueChain(
        this.#options.instanceId,
        this.#options.moduleId,
        now,
      );
    }
    return this.#chain;
  }
}

function parseRequest(request: Uint8Array): { name: string; body: unknown } {
  if (request.length > MAX_NSM_REQUEST_BYTES) throw new Refusal('InputTooLarge');
  let value: unknown;
  try {
    value = toPlainCbor(decodeCbor(request, { maxBytes: MAX_NSM_REQUEST_BYTES, maxDepth: 3 }));
  } catch {
    throw new Refusal('InvalidOperation');
  }
  if (typeof value === 'string') return { name: value, body: undefined };
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) throw new Refusal('InvalidOperation');
  return { name: entry[0], body: entry[1] };
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Refusal('InvalidArgument');
  return parsed.data;
}
