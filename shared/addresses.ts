import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** Form of an address by CAIP-2 namespace; the checksum of EIP-55 is checked beside it. */
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['eip155', /^0x[0-9a-fA-F]{40}$/],
  // Base58Check, or Bech32(m) in lower case: upper case is another spelling of the same address.
  ['bip122', /^([1-9A-HJ-NP-Za-km-z]{25,39}|[a-z]{2,5}1[02-9ac-hj-np-z]{11,90})$/],
  ['tezos', /^(tz[1-4]|KT1|sr1)[1-9A-HJ-NP-Za-km-z]{33}$/],
  ['solana', /^[1-9A-HJ-NP-Za-km-z]{32,44}$/],
]);

/**
 * Asserts that an address has the form of its network's chain. An Ethereum address is in lower case, or its case is the
 * checksum of EIP-55.
 *
 * @param network by CAIP-2
 * @throws RangeError with what is wrong, for people
 */
export function assertAddress(network: string, address: string): void {
  const namespace = network.slice(0, network.indexOf(':'));
  const form = FORMS.get(namespace);
  if (form === undefined) throw new RangeError(`no chain has the namespace ${namespace}`);
  if (!form.test(address)) throw new RangeError(`not an address of ${namespace}: ${address}`);
  if (namespace === 'eip155' && address !== address.toLowerCase() && address !== checksumAddress(address)) {
    throw new RangeError(`the case of ${address} is not its checksum by EIP-55: ${checksumAddress(address)}`);
  }
}

/** Writes an Ethereum address with the checksum of EIP-55. */
function checksumAddress(address: string): string {
  const digits = address.slice(2).toLowerCase();
  const hash = bytesToHex(keccak_256(utf8ToBytes(digits)));
  const cased = Array.from(digits, (digit, index) =>
    (hash[index] ?? '0') < '8' ? digit : digit.toUpperCase(),
  );
  return `0x${cased.join('')}`;
}

/**
 * Writes an address, asset or selector as it is compared: in lower case on Ethereum's chains, where case carries no
 * meaning but a checksum, and as it is elsewhere.
 *
 * @param network by CAIP-2
 */
export function normaliseOn(network: string, text: string): string {
  return network.startsWith('eip155:') ? text.toLowerCase() : text;
}
