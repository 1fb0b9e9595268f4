export { digestShareGroup } from '../shared/frost/index.ts';
export { attestNode, type AttestOptions } from './attest-node.ts';
export { type DealtGroup, type DealtShare, dealShares, sealShare } from './dealer.ts';
export {
  createEthereumAccount,
  type EthereumAccount,
  type EthereumAccountNode,
  type EthereumAuthorizationRequest,
  type Hex,
} from './ethereum-account.ts';
export { EthereumRequestError, type EthereumRequestErrorCode } from './ethereum/errors.ts';
export { ClientError, type ClientErrorCode, NodeRefusal } from './errors.ts';
export { sealKey, type SealKeyForNode } from './key-import.ts';
export { connectNode, NodeClient, type NodeClientOptions, type SealForNode } from './node-client.ts';
export { type NodeIdentity, type NodeTrust } from './node-identity.ts';
export {
  type Ciphertext,
  type DecidedPoolKey,
  type Mac,
  NodePools,
  type Plaintext,
  type SharedSecret,
  type VerifiedMac,
} from './node-pools.ts';
export { type Begun, NodeQuorum, type WaitOptions } from './node-quorum.ts';
export { connectQuorum, QuorumClient, type QuorumClientOptions } from './quorum-client.ts';
export { parseNodeUrl } from './tls-connection.ts';
export { addPsbtSignatures } from './psbt.ts';
export { type Decided, documentReceipt, type ReceiptSubject, verifyResponseReceipt } from './receipts.ts';
export {
  type Receipt,
  ReceiptError,
  type ReceiptErrorCode,
  type VerifiedReceipt,
} from '../audit/receipt/index.ts';
export { type Signed } from './responses.ts';
export { type RequestSummary } from '../shared/api/requests.ts';
export { type Ceremony, type PeerStatus, type QuorumKey, type QuorumStatus } from '../shared/api/quorum.ts';
export {
  type CreatePoolKeyRequest,
  type EncryptionContext,
  type Grants,
  type PoolKey,
  type PoolKeyChange,
  type PoolList,
} from '../shared/api/pool-keys.ts';
