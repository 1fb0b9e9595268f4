import type { DecodedPayload, DecodingContext } from '../transaction.ts';
import { printKeyHash } from './address.ts';
import { MAX_EFFECT_TEXT_LENGTH } from './limits.ts';
import { type Micheline, micheline, printMicheline } from './micheline.ts';
import { findNetwork, hashSigner, toSigningInput } from './network.ts';
import { readExactly } from './operation.ts';

/** First byte of packed data (Michelson's `PACK`). */
const WATERMARK = 5;
/** Start of a message that a wallet signs for a person (TZIP-10), which no contract takes for an order. */
const SIGNED_MESSAGE = 'Tezos Signed Message: ';

/**
 * Decodes 0x05 ‖ one Micheline expression. Packed data belongs to no chain: its network is null. A contract may take it as
 * an order (TZIP-17 has permits of this form), so that all but messages of wallets have a feature that a rule must name.
 *
 * @throws TransactionError
 */
export function decodeData(payload: Uint8Array, context: DecodingContext): DecodedPayload {
  findNetwork(context);
  const signer = hashSigner(context);
  const expression = readExactly(payload, WATERMARK, micheline);
  return {
    transaction: {
      kind: 'tezos-data',
      network: null,
      source: printKeyHash(signer),
      effects: [
        {
          type: 'message',
          to: null,
          asset: null,
          amount: null,
          contract: null,
          selector: null,
          details: { data: printMicheline(expression, MAX_EFFECT_TEXT_LENGTH) },
        },
      ],
      fee: null,
      nonce: null,
      gas: null,
      features: isSignedMessage(expression) ? [] : ['tezos:packed-data'],
      details: {},
    },
    signings: [{ input: toSigningInput(context, payload) }],
  };
}

function isSignedMessage(expression: Micheline): boolean {
  return expression.type === 'string' && expression.value.startsWith(SIGNED_MESSAGE);
}
