import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { computeTapTweak } from '../../../shared/tap-tweak.ts';
import { TransactionError } from '../errors.ts';
import { areEqual } from './bytes.ts';
import { INPUT } from './fields.ts';
import { type FieldMap, filterFields, findField } from './key-value-map.ts';
import type { Psbt } from './psbt.ts';
import { makeP2pkh, makeP2sh, makeP2tr, makeP2wpkh, parseMultisig } from './script.ts';
import type { SpentOutput } from './spent-outputs.ts';

const { Point } = secp256k1;
const NO_ROOT = new Uint8Array(0);

/** An input that the signing key signs. */
export type OwnInput = {
  readonly index: number;
  /** Script of the output that it spends. */
  readonly script: Uint8Array;
  readonly map: FieldMap;
} & (
  | {
      readonly kind: 'v0';
      /** What the signature hash has in place of the output's script (BIP-143). */
      readonly scriptCode: Uint8Array;
      /** Keys that may sign it, the signing key among them. */
      readonly signers: readonly Uint8Array[];
    }
  | { readonly kind: 'taproot'; /** 32 bytes, or none (BIP-86). */ readonly merkleRoot: Uint8Array }
);

/** The scripts that a key has by itself. */
export interface KeyScripts {
  readonly publicKey: Uint8Array;
  readonly p2wpkh: Uint8Array;
  /** Script of the output key for a script tree's root, 32 bytes, or none (BIP-86). */
  p2tr(merkleRoot: Uint8Array): Uint8Array;
}

/** @param publicKey compressed, a point of the curve */
export function createKeyScripts(publicKey: Uint8Array): KeyScripts {
  const internalKey = publicKey.subarray(1);
  const even = Point.fromBytes(Uint8Array.of(0x02, ...internalKey));
  const made = new Map<string, Uint8Array>();
  return {
    publicKey,
    p2wpkh: makeP2wpkh(publicKey),
    p2tr(merkleRoot) {
      const name = bytesToHex(merkleRoot);
      const script =
        made.get(name) ??
        makeP2tr(
          even
            .add(Point.BASE.multiply(computeTapTweak(internalKey, merkleRoot)))
            .toBytes()
            .subarray(1),
        );
      made.set(name, script);
      return script;
    },
  };
}

/**
 * Finds the inputs that are the key's: P2WPKH, P2WSH of a bare multisig with the key, and P2TR whose output key is the
 * key's (BIP-86, or with the root that the PSBT gives).
 *
 * @throws TransactionError TRANSACTION_UNSUPPORTED for an input of the key's in another form, TRANSACTION_UNSAFE where
 *   the PSBT contradicts itself
 */
export function findOwnInputs(
  psbt: Psbt,
  spent: readonly SpentOutput[],
  key: KeyScripts,
): readonly OwnInput[] {
  const unsupported = [makeP2pkh(key.publicKey), makeP2sh(key.p2wpkh)];
  return spent.flatMap(({ script }, index): OwnInput | [] => {
    const map = psbt.inputs[index] ?? [];
    const witnessScript = findField(map, INPUT.witnessScript);
    const keys = (witnessScript && parseMultisig(witnessScript)?.keys) ?? [];
    const isSigner = keys.some((other) => areEqual(other, key.publicKey));
    const isWrapped = isSigner && findField(map, INPUT.redeemScript) !== undefined;
    if (isWrapped || unsupported.some((other) => areEqual(script, other))) {
      throw new TransactionError('TRANSACTION_UNSUPPORTED', "an input of the key's is no native segwit", {
        input: index,
      });
    }
    // The witness script is the one that the output names: see resolveSpentOutputs.
    if (isSigner && witnessScript)
      return { kind: 'v0', index, script, map, scriptCode: witnessScript, signers: keys };
    if (areEqual(script, key.p2wpkh)) {
      return {
        kind: 'v0',
        index,
        script,
        map,
        scriptCode: makeP2pkh(key.publicKey),
        signers: [key.publicKey],
      };
    }
    const merkleRoot = findOwnRoot(script, { map, key, index });
    return merkleRoot ? { kind: 'taproot', index, script, map, merkleRoot } : [];
  });
}

function findOwnRoot(
  script: Uint8Array,
  { map, key, index }: { map: FieldMap; key: KeyScripts; index: number },
): Uint8Array | undefined {
  const isTaproot = script.length === 34 && script[0] === 0x51 && script[1] === 32;
  const internalKey = findField(map, INPUT.tapInternalKey);
  const isClaimed = internalKey !== undefined && areEqual(internalKey, key.publicKey.subarray(1));
  if (!isTaproot || (internalKey !== undefined && !isClaimed)) return undefined;
  const merkleRoot = findField(map, INPUT.tapMerkleRoot) ?? NO_ROOT;
  if (areEqual(script, key.p2tr(merkleRoot))) return merkleRoot;
  if (!isClaimed) return undefined;
  throw new TransactionError(
    'TRANSACTION_UNSAFE',
    'an output is not that of the internal key and root given for it',
    {
      input: index,
    },
  );
}

/**
 * Asserts that nobody has signed an input for the key, and that signatures of others are by keys that may sign it.
 *
 * @throws TransactionError TRANSACTION_UNSUPPORTED, TRANSACTION_MALFORMED
 */
export function assertUnsigned(input: OwnInput, publicKey: Uint8Array): void {
  const finished = [INPUT.finalScript, INPUT.finalWitness, INPUT.tapKeySignature];
  const partial = filterFields(input.map, INPUT.partialSignature).map(({ keyData }) => keyData);
  if (
    finished.some((type) => findField(input.map, type) !== undefined) ||
    partial.some((signer) => areEqual(signer, publicKey))
  ) {
    throw new TransactionError('TRANSACTION_UNSUPPORTED', 'an input is signed already', {
      input: input.index,
    });
  }
  const signers = input.kind === 'v0' ? input.signers : [];
  if (!partial.every((signer) => signers.some((other) => areEqual(other, signer)))) {
    throw new TransactionError(
      'TRANSACTION_MALFORMED',
      'an input has a signature of a key that cannot sign it',
      {
        input: input.index,
      },
    );
  }
}
