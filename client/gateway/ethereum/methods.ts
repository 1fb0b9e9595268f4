import { type Json, readAddress, readData } from '../../ethereum/fields.ts';
import { readTransaction } from '../../ethereum/read-transaction.ts';
import { EthereumSigner, type SigningNode } from '../../ethereum/signer.ts';
import { formatBytes, formatSignature } from '../../ethereum/transaction.ts';
import type { EthereumSection } from './config.ts';
import type { AccountDirectory } from './directory.ts';
import { takeDocument } from './document.ts';
import { EthereumDoorError } from './errors.ts';

/** What methods work with. */
export interface MethodContext {
  readonly node: SigningNode;
  readonly directory: AccountDirectory;
  readonly section: Pick<EthereumSection, 'chainId'>;
  /** Told which key a request is about, for the log. */
  readonly onKey: (id: string) => void;
}

type Method = (parameters: readonly Json[], context: MethodContext) => Promise<Json>;

/** Methods of Ethereum's JSON-RPC that sign or say who signs. */
const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['eth_accounts', listAccounts],
  ['eth_chainId', (parameters, { section }) => Promise.resolve(sayChain(parameters, section))],
  ['eth_signTransaction', signTransaction],
  [
    'personal_sign',
    (parameters, context) => {
      const [message, account] = takeParameters(parameters, 2);
      return signMessage(account, message, context);
    },
  ],
  [
    'eth_sign',
    (parameters, context) => {
      const [account, message] = takeParameters(parameters, 2);
      return signMessage(account, message, context);
    },
  ],
  ['eth_signTypedData_v4', signTypedData],
]);
/** Methods that send, which a door refuses in its own words. */
const SENDING: ReadonlySet<string> = new Set(['eth_sendTransaction', 'eth_sendRawTransaction']);

/** Carries out a method. @throws EthereumDoorError, EthereumRequestError, and what a node's refusal throws */
export async function callMethod(
  name: string,
  parameters: readonly Json[],
  context: MethodContext,
): Promise<Json> {
  const method = METHODS.get(name);
  if (method !== undefined) return await method(parameters, context);
  throw new EthereumDoorError(
    'RPC_METHOD_UNSUPPORTED',
    SENDING.has(name)
      ? 'a door sends nothing: sign with eth_signTransaction, and send the result to a node of the network'
      : 'the door has no such method',
  );
}

/** Asserts the number of parameters: what is left over would be ignored. */
function takeParameters(parameters: readonly Json[], count: number): readonly Json[] {
  if (parameters.length === count) return parameters;
  throw new EthereumDoorError('RPC_PARAMETERS_MALFORMED', `expected ${count} parameters`);
}

async function listAccounts(parameters: readonly Json[], { directory }: MethodContext): Promise<Json> {
  takeParameters(parameters, 0);
  return (await directory.list()).map(({ address }) => address);
}

function sayChain(parameters: readonly Json[], { chainId }: MethodContext['section']): Json {
  takeParameters(parameters, 0);
  if (chainId !== undefined) return `0x${chainId.toString(16)}`;
  throw new EthereumDoorError(
    'RPC_METHOD_UNSUPPORTED',
    'the configuration of the door says no chain: ethereum.chainId',
  );
}

async function findSigner(
  address: Uint8Array,
  { directory, node, onKey }: MethodContext,
): Promise<EthereumSigner> {
  const key = await directory.find(Buffer.from(address).toString('hex'));
  if (key === undefined)
    throw new EthereumDoorError('RPC_ACCOUNT_UNKNOWN', 'the nodes have no key of this account');
  onKey(key.id);
  return new EthereumSigner(node, key);
}

async function signTransaction(parameters: readonly Json[], context: MethodContext): Promise<Json> {
  const [request] = takeParameters(parameters, 1);
  const { from, transaction } = readTransaction(request);
  if (from === undefined)
    throw new EthereumDoorError('RPC_PARAMETERS_MALFORMED', 'from: expected the account that signs');
  const signer = await findSigner(from, context);
  return formatBytes(await signer.signTransaction(transaction));
}

async function signMessage(account: Json, message: Json, context: MethodContext): Promise<Json> {
  const bytes = readData(message, 'message');
  const signer = await findSigner(readAddress(account, 'address'), context);
  return formatSignature(await signer.signMessage(bytes));
}

async function signTypedData(parameters: readonly Json[], context: MethodContext): Promise<Json> {
  const [account, document] = takeParameters(parameters, 2);
  const text = takeDocument(document);
  const signer = await findSigner(readAddress(account, 'address'), context);
  return formatSignature(await signer.signTypedData(text));
}
