import { concatBytes } from '@noble/hashes/utils.js';
import { parseJson } from '../../../shared/json/index.ts';
import { assertFields, readData, readObject } from '../../ethereum/fields.ts';
import { EthereumSigner, messagePrefix } from '../../ethereum/signer.ts';
import { formatSignature, type RecoverableSignature } from '../../ethereum/transaction.ts';
import { EthereumDoorError } from './errors.ts';
import type { MethodContext } from './methods.ts';

const MESSAGE_START = Buffer.from('\u0019Ethereum Signed Message:\n');
const AUTHORIZATION = 0x05;
const FIRST_LIST = 0xc0;

/** Lists public keys as `GET /api/v1/eth1/publicKeys` does: 64 bytes each, hex with 0x. */
export async function listPublicKeys({ directory }: Pick<MethodContext, 'directory'>): Promise<string[]> {
  return (await directory.list()).map(({ uncompressed }) => `0x${uncompressed}`);
}

/**
 * Signs as `POST /api/v1/eth1/sign/{identifier}` does: keccak-256 of `data` as they are. The enclave signs nothing that it
 * cannot read, so that `data` have to be an unsigned transaction, a message with the prefix of EIP-191, or an authorisation
 * of EIP-7702.
 *
 * @param identifier address or uncompressed public key, hex with or without 0x
 * @returns r, s, and 27 or 28, in hex with 0x
 */
export async function signData(
  identifier: string,
  body: Uint8Array,
  { directory, node, onKey }: MethodContext,
): Promise<string> {
  const data = readBody(body);
  const key = await directory.find(identifier.toLowerCase().replace(/^0x/, ''));
  if (key === undefined)
    throw new EthereumDoorError('RPC_ACCOUNT_UNKNOWN', 'the nodes have no key of this account');
  onKey(key.id);
  return formatSignature(await signRead(new EthereumSigner(node, key), data));
}

function readBody(body: Uint8Array): Uint8Array {
  const fields = readObject(parseJson(body, { maxBytes: body.length, maxDepth: 2 }), 'body');
  assertFields(fields, new Set(['data']));
  const data = readData(fields['data'], 'data');
  if (data.length === 0) throw new EthereumDoorError('SIGNING_DATA_UNREADABLE', 'no data');
  return data;
}

async function signRead(signer: EthereumSigner, data: Uint8Array): Promise<RecoverableSignature> {
  const message = readMessage(data);
  if (message !== undefined) return await signer.signMessage(message);
  const first = data[0] ?? 0;
  if (first === AUTHORIZATION) return await signer.signEncodedAuthorization(data);
  if (first >= FIRST_LIST || (first >= 1 && first < AUTHORIZATION)) return await signer.signUnsigned(data);
  throw new EthereumDoorError(
    'SIGNING_DATA_UNREADABLE',
    'expected an unsigned transaction, a message with the prefix of EIP-191, or an authorisation; a document of EIP-712 is signed whole by eth_signTypedData_v4',
  );
}

/** Takes the prefix of EIP-191 from a message whose length is the one in it; undefined for other data. */
function readMessage(data: Uint8Array): Uint8Array | undefined {
  if (!MESSAGE_START.equals(data.subarray(0, MESSAGE_START.length))) return undefined;
  const digits = /^[0-9]{1,6}/.exec(
    Buffer.from(data.subarray(MESSAGE_START.length, MESSAGE_START.length + 6)).toString('latin1'),
  )?.[0];
  // A message may begin with digits itself: the number is the one that is the length of what follows.
  for (let count = digits?.length ?? 0; count > 0; count -= 1) {
    const message = data.subarray(MESSAGE_START.length + count);
    const whole = concatBytes(messagePrefix(message.length), message);
    if (Buffer.from(whole).equals(data)) return message;
  }
  return undefined;
}
