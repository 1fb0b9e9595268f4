import type { TransactionPayload } from '../../../shared/api/payloads.ts';
import { decodeBase64 } from '../../../shared/base64.ts';
import { TransactionError } from '../errors.ts';
import { type DecodedPayload, type DecodingContext, MAX_EFFECTS, type Signing } from '../transaction.ts';
import { assertTransaction, computeFee } from './assertions.ts';
import { areEqual } from './bytes.ts';
import { describeDetails } from './details.ts';
import { describeOutputs } from './effects.ts';
import { BITCOIN_FEATURES } from './features.ts';
import { INPUT } from './fields.ts';
import { selectNetwork } from './networks.ts';
import {
  assertUnsigned,
  createKeyScripts,
  findOwnInputs,
  type KeyScripts,
  type OwnInput,
} from './own-inputs.ts';
import { parsePsbt, type Psbt } from './psbt.ts';
import { toAddress } from './script.ts';
import { createSighashComputer, splitSighashType } from './sighash.ts';
import { commitsToOutputs, listSighashFeatures, nameSighashType, readSighashType } from './sighash-type.ts';
import { assertAmounts, resolveSpentOutputs, type SpentOutput } from './spent-outputs.ts';

const MAX_PSBT_BYTES = 128 * 1024;
const KINDS: ReadonlyMap<string, OwnInput['kind']> = new Map([
  ['ecdsa-secp256k1', 'v0'],
  ['bip340', 'taproot'],
  ['frost-secp256k1-taproot', 'taproot'],
]);

type Sighashed = { readonly input: OwnInput; readonly sighashType: number };

/**
 * Decodes a PSBT: each output but change is a transfer, and each input of the key's is to be signed. Change is an
 * output to the one script that all inputs of the key's spend. The fee is what all inputs have above all outputs; with
 * inputs of others it is at least what the source loses beside the effects, whatever those inputs hold.
 *
 * @throws TransactionError
 */
export function decodeBitcoin(
  payload: Extract<TransactionPayload, { kind: `bitcoin-${string}` }>,
  context: DecodingContext,
): DecodedPayload {
  const network = selectNetwork(context.networks);
  const kind = KINDS.get(context.algorithm);
  const { publicKey } = context;
  if (kind === undefined || publicKey.length !== 33) {
    throw new TransactionError(
      'TRANSACTION_KEY_MISMATCH',
      'expected a key of secp256k1, which alone signs for Bitcoin',
    );
  }
  const psbt = parsePsbt(decodeText(payload.psbt));
  const { transaction } = psbt;
  assertTransaction(transaction);
  const spent = resolveSpentOutputs(psbt);
  const key = createKeyScripts(publicKey);
  const own = selectOwnInputs(psbt, { spent, key, kind }).map((input) => ({
    input,
    sighashType: readSighashType(input, transaction.outputs.length),
  }));
  assertAmounts(spent, {
    own: new Set(own.map(({ input }) => input.index)),
    areAllCommitted:
      kind === 'taproot' && own.every(({ sighashType }) => !splitSighashType(sighashType).isAnyoneCanPay),
  });
  const fee = computeFee(spent, transaction.outputs);
  const outputs = describeOutputs(transaction.outputs, {
    network,
    changeScript: findChangeScript(own),
    open: own.flatMap(({ input, sighashType }) =>
      commitsToOutputs(sighashType)
        ? []
        : {
            index: input.index,
            amount: spent[input.index]?.amount ?? 0n,
            sighash: nameSighashType(sighashType),
          },
    ),
  });
  if (outputs.effects.length > MAX_EFFECTS) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', `expected at most ${MAX_EFFECTS} effects`, {
      found: outputs.effects.length,
    });
  }
  const features = [...outputs.features, ...listFeatures(psbt, own)];
  return {
    transaction: {
      kind: payload.kind,
      network: network.id,
      source: toAddress(own[0]?.input.script ?? key.p2wpkh, network),
      effects: outputs.effects,
      fee: { asset: network.asset, amount: fee },
      nonce: null,
      gas: null,
      features: [...new Set(features)].toSorted(),
      details: describeDetails(psbt, {
        spent,
        own: own.map(({ input }) => input),
        fee,
        change: outputs.change,
      }),
    },
    signings: computeSignings(psbt, spent, own),
  };
}

function decodeText(text: string): Uint8Array {
  if (text.length > 4 * Math.ceil(MAX_PSBT_BYTES / 3)) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', `expected at most ${MAX_PSBT_BYTES} bytes`);
  }
  const bytes = decodeBase64(text);
  if (bytes === undefined) {
    throw new TransactionError('TRANSACTION_NOT_CANONICAL', 'expected base64 in its canonical form');
  }
  return bytes;
}

function selectOwnInputs(
  psbt: Psbt,
  { spent, key, kind }: { spent: readonly SpentOutput[]; key: KeyScripts; kind: OwnInput['kind'] },
): readonly OwnInput[] {
  const own = findOwnInputs(psbt, spent, key);
  if (own.length === 0) {
    throw new TransactionError('TRANSACTION_KEY_MISMATCH', "expected an input of the key's, found none");
  }
  for (const input of own) {
    if (input.kind !== kind) {
      throw new TransactionError(
        'TRANSACTION_UNSUPPORTED',
        "the algorithm does not sign all inputs of the key's",
        {
          input: input.index,
          found: input.kind,
        },
      );
    }
    // The first input of a message by BIP-322 spends nothing.
    if (spent[input.index]?.amount === 0n) {
      throw new TransactionError(
        'TRANSACTION_UNSUPPORTED',
        "an input of the key's spends an output of nothing",
        {
          input: input.index,
        },
      );
    }
    assertUnsigned(input, key.publicKey);
  }
  return own;
}

/**
 * Returns the one script that all inputs of the key's spend; undefined where they spend several. An output to one of
 * several would not have to be change: whoever asks may have paid a little to a multisig that the key shares with them,
 * spend it beside the key's own money, and have the rest of that sent there.
 */
function findChangeScript([first, ...others]: readonly Sighashed[]): Uint8Array | undefined {
  const script = first?.input.script;
  return script && others.every(({ input }) => areEqual(input.script, script)) ? script : undefined;
}

function listFeatures(psbt: Psbt, own: readonly Sighashed[]): string[] {
  const scripts = [INPUT.tapScriptSignature, INPUT.tapLeafScript];
  const hasScriptPath = own.some(({ input }) =>
    input.map.some(({ type }) => (scripts as readonly number[]).includes(type)),
  );
  return [
    ...(own.length < psbt.inputs.length ? [BITCOIN_FEATURES.foreignInput] : []),
    ...(psbt.hasUnknownFields ? [BITCOIN_FEATURES.unknownField] : []),
    ...(hasScriptPath ? [BITCOIN_FEATURES.scriptPath] : []),
    ...own.flatMap(({ sighashType }) => listSighashFeatures(sighashType)),
  ];
}

function computeSignings(
  psbt: Psbt,
  spent: readonly SpentOutput[],
  own: readonly Sighashed[],
): readonly Signing[] {
  const sighash = createSighashComputer(psbt.transaction, spent);
  return own.map(({ input, sighashType }) => {
    const { index } = input;
    if (input.kind === 'v0') {
      return {
        index,
        input: { kind: 'digest', digest: sighash.computeV0(index, input.scriptCode, sighashType) },
      };
    }
    const digest = sighash.computeTaproot(index, sighashType);
    return { index, input: { kind: 'taproot-sighash', digest, merkleRoot: input.merkleRoot } };
  });
}
