import { malformedField } from './errors.ts';
import { isGiven, type Json, type JsonFields, readList, readObject } from './fields.ts';

/** Names of transaction types in viem, in the order of their numbers. */
const TYPES = ['legacy', 'eip2930', 'eip1559', 'eip4844', 'eip7702'];
const QUANTITIES = [
  'chainId',
  'nonce',
  'gas',
  'value',
  'gasPrice',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
  'maxFeePerBlobGas',
];
/** Members that viem leaves in a prepared request, which say nothing of the transaction. */
const NOT_OF_TRANSACTION = new Set(['account', 'chain', 'nonceManager']);

/** Writes a number or bigint as a QUANTITY of JSON-RPC. @throws EthereumRequestError */
export function writeQuantity(value: unknown, field: string): string {
  const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (!isWhole || (value as number | bigint) < 0) throw malformedField(field, 'a whole number or bigint');
  return `0x${BigInt(value as number | bigint).toString(16)}`;
}

/** Writes a transaction of viem in the form of JSON-RPC, which is then read strictly. @throws EthereumRequestError */
export function writeTransaction(transaction: object): JsonFields {
  const given = Object.entries(transaction).filter(
    ([name, value]) => isGiven(value) && !NOT_OF_TRANSACTION.has(name),
  );
  return Object.fromEntries(given.map(([name, value]) => [name, writeMember(name, value)]));
}

function writeMember(name: string, value: Json): Json {
  if (QUANTITIES.includes(name)) return writeQuantity(value, name);
  if (name === 'type') return writeType(value);
  if (name !== 'authorizationList') return value;
  return readList(value, name).map((item, index) => {
    const path = `${name}.${index}`;
    const { contractAddress, ...fields } = readObject(item, path);
    const written = Object.entries(fields)
      .filter(([, member]) => isGiven(member))
      .map(([member, inner]) => [
        member,
        ['chainId', 'nonce', 'yParity', 'v'].includes(member)
          ? writeQuantity(inner, `${path}.${member}`)
          : inner,
      ]);
    return {
      ...(isGiven(contractAddress) ? { address: contractAddress } : {}),
      ...Object.fromEntries(written),
    };
  });
}

function writeType(type: Json): string {
  const number = TYPES.indexOf(String(type));
  if (number < 0) throw malformedField('type', TYPES.join(', '));
  return `0x${number}`;
}

/** Fields of a domain in the order of EIP-712. */
const DOMAIN = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
  { name: 'salt', type: 'bytes32' },
];

/** Writes a document of viem as JSON: the type of its domain is named, and bigints are decimal digits. */
export function writeDocument(document: object): string {
  const { domain = {}, types = {}, primaryType, message } = document as JsonFields;
  const members = readObject(domain, 'domain');
  const named = DOMAIN.filter(({ name }) => isGiven(members[name]));
  const whole = {
    types: { EIP712Domain: named, ...readObject(types, 'types') },
    primaryType,
    domain: members,
    message: message ?? {},
  };
  return JSON.stringify(whole, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
