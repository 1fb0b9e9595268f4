import { MAX_MESSAGE_BYTES } from '../../../shared/api/payloads.ts';
import { parseJson } from '../../../shared/json/index.ts';
import type { Json } from '../../ethereum/fields.ts';
import { EthereumDoorError } from './errors.ts';

/** Deepest nesting of a document. */
const MAX_DEPTH = 16;
const QUANTITY = /^0x(?:0|[1-9a-f][0-9a-f]{0,63})$/;

/**
 * Takes a document of `eth_signTypedData_v4` as text or object. A chain id in hex, as ethers writes it, is put into decimal
 * digits: enclaves read no other notation, and what is signed is the number.
 *
 * @throws JsonError; EthereumDoorError RPC_PARAMETERS_MALFORMED
 */
export function takeDocument(document: Json): string {
  if (typeof document !== 'string' && (typeof document !== 'object' || document === null))
    throw new EthereumDoorError('RPC_PARAMETERS_MALFORMED', 'expected a document as text or object');
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  const value = parseJson(Buffer.from(text), { maxBytes: MAX_MESSAGE_BYTES, maxDepth: MAX_DEPTH }) as Json;
  const { domain } = (value ?? {}) as { domain?: { chainId?: Json } | null };
  const chainId = domain?.chainId;
  if (typeof chainId !== 'string' || !QUANTITY.test(chainId)) return text;
  return JSON.stringify({ ...(value as object), domain: { ...domain, chainId: BigInt(chainId).toString() } });
}
