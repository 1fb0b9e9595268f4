import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import type { DecodedPayload, DecodingContext, Effect } from '../../transaction.ts';
import { computeAccount } from '../account.ts';
import { makeEffect } from '../effects.ts';
import { type EthereumFeature, listFeatures } from '../features.ts';
import { requireAnyNetwork, requireNetwork } from '../networks.ts';
import { parseTypedData, type TypedDocument } from './document.ts';
import { describePermit } from './permits.ts';
import type { TypedValue } from './values.ts';

/** The most values of a message that `details` show; `omitted` says how many there are beside them. */
export const MAX_SHOWN_VALUES = 64;
/** The most UTF-16 units that the shown values and their paths have together. */
export const MAX_SHOWN_LENGTH = 16 * 1024;

const PREFIX = Uint8Array.of(0x19, 0x01);

/**
 * Decodes a typed-data document (EIP-712). Permits and authorisations that are known by their whole type are allowances
 * and transfers; any other document is one `message` whose `contract` is the verifying contract, whose `selector` is the
 * primary type, and whose details hold the message's values by path. Without a chain id in the domain the network is null.
 *
 * @throws TransactionError
 */
export function decodeTypedData(text: string, context: DecodingContext): DecodedPayload {
  const document = parseTypedData(text);
  const { domain } = document;
  const chainId = domain.parts?.get('chainId')?.text;
  if (chainId === undefined) requireAnyNetwork(context);
  const network = chainId === undefined ? null : requireNetwork(BigInt(chainId), context);
  const features = new Set<EthereumFeature>(network === null ? ['ethereum:typed-data-any-chain'] : []);
  const contract = domain.parts?.get('verifyingContract')?.text ?? null;
  const source = computeAccount(context.publicKey).text;
  const permit = describePermit(document, { network, contract, source, features });
  const effects = [...permit.effects, ...(permit.isAll ? [] : [describeMessage(document, contract)])];
  return {
    transaction: {
      kind: 'ethereum-typed-data',
      network,
      source,
      effects,
      fee: null,
      nonce: null,
      gas: null,
      features: listFeatures(features),
      details: describeDomain(domain),
    },
    signings: [
      {
        input: {
          kind: 'digest',
          digest: keccak_256(concatBytes(PREFIX, domain.word, document.message.word)),
        },
      },
    ],
  };
}

function describeDomain(domain: TypedValue): Record<string, string> {
  return Object.fromEntries(flatten(domain, 'domain'));
}

function describeMessage(document: TypedDocument, contract: string | null): Effect {
  const details: Record<string, string> = { type: document.typeText };
  let length = 0;
  let omitted = 0;
  let shown = 0;
  for (const [path, text] of flatten(document.message, 'message')) {
    length += path.length + text.length;
    if (shown < MAX_SHOWN_VALUES && length <= MAX_SHOWN_LENGTH) {
      details[path] = text;
      shown += 1;
    } else {
      omitted += 1;
    }
  }
  if (omitted > 0) details['omitted'] = String(omitted);
  return makeEffect('message', { contract, selector: document.primaryType, details });
}

function* flatten(value: TypedValue, path: string): Generator<[string, string]> {
  if (value.parts === null) yield [path, value.text];
  else if (value.parts.size === 0) yield [path, '[]'];
  else
    for (const [name, part] of value.parts)
      yield* flatten(part, name.startsWith('[') ? path + name : `${path}.${name}`);
}
