import * as z from 'zod';
import { parseJson } from '../../shared/json/index.ts';

const FORMAT = 'holdfast-peer/1';
/** Longest user_data that an attestation document takes, in bytes. */
const MAX_BINDING_BYTES = 1_024;

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));

const bindingSchema = z.strictObject({
  format: z.literal(FORMAT),
  node: z.int().min(1).max(255),
  session: hex(16),
  configuration: z.strictObject({ version: z.int().min(1), digest: hex(48) }),
  receiptKey: hex(32),
});

/** What a node says of itself in the user_data of its document. */
export type PeerBinding = Omit<z.infer<typeof bindingSchema>, 'format'>;

/** Encodes the user_data, at most 1,024 bytes. */
export function encodeBinding({ node, session, configuration, receiptKey }: PeerBinding): Uint8Array {
  return Buffer.from(JSON.stringify({ format: FORMAT, node, session, configuration, receiptKey }));
}

/** Decodes the user_data of a document that was verified; undefined for one that is no peer's. */
export function decodeBinding(userData: Uint8Array | null): PeerBinding | undefined {
  if (userData === null) return undefined;
  let value: unknown;
  try {
    value = parseJson(userData, { maxBytes: MAX_BINDING_BYTES, maxDepth: 2 });
  } catch {
    return undefined;
  }
  const parsed = bindingSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
