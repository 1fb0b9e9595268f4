import {
  assertFields,
  isGiven,
  type Json,
  type JsonFields,
  readAddress,
  readData,
  readList,
  readObject,
  readQuantity,
} from './fields.ts';
import { malformedField } from './errors.ts';
import type { AccessListItem, EthereumTransaction, SignedAuthorization } from './transaction.ts';

/** Fields of a transaction in Ethereum's JSON-RPC; whatever else a request has is refused. */
const FIELDS = new Set([
  'type',
  'from',
  'chainId',
  'nonce',
  'gas',
  'to',
  'value',
  'data',
  'input',
  'gasPrice',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
  'accessList',
  'maxFeePerBlobGas',
  'blobVersionedHashes',
  'authorizationList',
]);
/** Fields that only some types have. */
const FIELDS_OF_TYPES: Readonly<Record<EthereumTransaction['type'], readonly string[]>> = {
  0: ['gasPrice'],
  1: ['gasPrice', 'accessList'],
  2: ['maxFeePerGas', 'maxPriorityFeePerGas', 'accessList'],
  3: ['maxFeePerGas', 'maxPriorityFeePerGas', 'accessList', 'maxFeePerBlobGas', 'blobVersionedHashes'],
  4: ['maxFeePerGas', 'maxPriorityFeePerGas', 'accessList', 'authorizationList'],
};
const TYPES = [0, 1, 2, 3, 4] as const;

/** A transaction, and the account that is to sign it where the request names one. */
export interface RequestedTransaction {
  readonly from: Uint8Array | undefined;
  readonly transaction: EthereumTransaction;
}

/**
 * Reads a transaction in the form of `eth_signTransaction`. Nothing is filled in: chain, nonce, gas and prices have to be
 * there. Left out, `value` is nothing and `data` is empty; without `to`, `data` is the code of a new contract.
 *
 * @throws EthereumRequestError
 */
export function readTransaction(value: Json): RequestedTransaction {
  const fields = readObject(value, 'transaction');
  assertFields(fields, FIELDS);
  const type = readType(fields);
  const known = new Set(FIELDS_OF_TYPES[type]);
  for (const name of new Set(Object.values(FIELDS_OF_TYPES).flat())) {
    if (!known.has(name) && isGiven(fields[name]))
      throw malformedField(name, `no such field in a transaction of type ${type}`);
  }
  const data = readCallData(fields);
  const to = isGiven(fields['to']) ? readAddress(fields['to'], 'to') : null;
  if (to === null && data.length === 0)
    throw malformedField('to', 'an address, or data to create a contract');
  const common = {
    chainId: readQuantity(fields['chainId'], 'chainId'),
    nonce: readQuantity(fields['nonce'], 'nonce', 64),
    gas: readQuantity(fields['gas'], 'gas', 64),
    to,
    value: isGiven(fields['value']) ? readQuantity(fields['value'], 'value') : 0n,
    data,
  };
  if (common.chainId === 0n) throw malformedField('chainId', 'a chain: without one, all chains take it');
  return {
    from: isGiven(fields['from']) ? readAddress(fields['from'], 'from') : undefined,
    transaction: { ...common, ...readOwnFields(type, fields) },
  };
}

/** Finds the type: the one that is named, else the only one that has these fields. */
function readType(fields: JsonFields): EthereumTransaction['type'] {
  if (isGiven(fields['type'])) {
    const named = readQuantity(fields['type'], 'type', 8);
    const found = TYPES.find((type) => BigInt(type) === named);
    if (found === undefined) throw malformedField('type', '0x0 to 0x4');
    return found;
  }
  if (isGiven(fields['authorizationList'])) return 4;
  if (isGiven(fields['blobVersionedHashes'])) return 3;
  if (isGiven(fields['maxFeePerGas'])) return 2;
  return isGiven(fields['accessList']) ? 1 : 0;
}

type OwnFields<T> = T extends EthereumTransaction
  ? Omit<T, 'chainId' | 'nonce' | 'gas' | 'to' | 'value' | 'data'>
  : never;

function readOwnFields(
  type: EthereumTransaction['type'],
  fields: JsonFields,
): OwnFields<EthereumTransaction> {
  const price = (name: string) => readQuantity(fields[name], name);
  if (type === 0) return { type, gasPrice: price('gasPrice') };
  const accessList = readAccessList(fields['accessList']);
  if (type === 1) return { type, gasPrice: price('gasPrice'), accessList };
  const market = {
    maxPriorityFeePerGas: price('maxPriorityFeePerGas'),
    maxFeePerGas: price('maxFeePerGas'),
    accessList,
  };
  if (market.maxPriorityFeePerGas > market.maxFeePerGas)
    throw malformedField('maxPriorityFeePerGas', 'no more than maxFeePerGas');
  if (type === 2) return { type, ...market };
  if (type === 4)
    return { type, ...market, authorizationList: readAuthorizations(fields['authorizationList']) };
  return {
    type,
    ...market,
    maxFeePerBlobGas: price('maxFeePerBlobGas'),
    blobVersionedHashes: readList(fields['blobVersionedHashes'], 'blobVersionedHashes').map((hash, index) =>
      readData(hash, `blobVersionedHashes.${index}`, 32),
    ),
  };
}

/** Reads `data` and its other name; both may stand there if they are the same. */
function readCallData({ data, input }: JsonFields): Uint8Array {
  const [one, other] = [
    isGiven(data) ? readData(data, 'data') : undefined,
    isGiven(input) ? readData(input, 'input') : undefined,
  ];
  if (one !== undefined && other !== undefined && !Buffer.from(one).equals(other))
    throw malformedField('input', 'the bytes of data');
  return one ?? other ?? new Uint8Array();
}

function readAccessList(value: Json): AccessListItem[] {
  if (!isGiven(value)) return [];
  return readList(value, 'accessList').map((item, index) => {
    const path = `accessList.${index}`;
    const fields = readObject(item, path);
    assertFields(fields, new Set(['address', 'storageKeys']), `${path}.`);
    return {
      address: readAddress(fields['address'], `${path}.address`),
      storageKeys: readList(fields['storageKeys'], `${path}.storageKeys`).map((key, place) =>
        readData(key, `${path}.storageKeys.${place}`, 32),
      ),
    };
  });
}

function readAuthorizations(value: Json): SignedAuthorization[] {
  return readList(value, 'authorizationList').map((item, index) => {
    const path = `authorizationList.${index}`;
    const fields = readObject(item, path);
    assertFields(fields, new Set(['chainId', 'address', 'nonce', 'yParity', 'v', 'r', 's']), `${path}.`);
    const yParity = Number(readQuantity(fields['yParity'], `${path}.yParity`, 1));
    if (isGiven(fields['v']) && readQuantity(fields['v'], `${path}.v`, 8) !== BigInt(27 + yParity))
      throw malformedField(`${path}.v`, '27 and the parity');
    return {
      chainId: readQuantity(fields['chainId'], `${path}.chainId`),
      address: readAddress(fields['address'], `${path}.address`),
      nonce: readQuantity(fields['nonce'], `${path}.nonce`, 64),
      yParity,
      r: readWord(fields['r'], `${path}.r`),
      s: readWord(fields['s'], `${path}.s`),
    };
  });
}

/** Reads a number of a signature, as a quantity or as 32 bytes: libraries write both. */
function readWord(value: Json, field: string): bigint {
  const isBytes = typeof value === 'string' && /^0x0[0-9a-fA-F]{63}$/.test(value);
  return isBytes ? BigInt(value) : readQuantity(value, field);
}
