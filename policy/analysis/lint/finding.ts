/** What can be wrong with a configuration that its schema takes. */
export type ConfigurationLintCode =
  /** No request can match the rule. */
  | 'RULE_UNREACHABLE'
  /** A name in the rule takes part in no request that the rule can match. */
  | 'RULE_NAME_UNREACHABLE'
  /** A denial matches whatever the permit does. */
  | 'RULE_DENIED_WHOLLY'
  /** Even if everybody approved, a requirement would not be met. */
  | 'QUORUM_IMPOSSIBLE'
  /** A requirement cannot be met for some of the rule's clients: the person behind the client does not count. */
  | 'QUORUM_IMPOSSIBLE_FOR_CLIENT'
  /** A rule asks for approvals for operations that cannot wait: it never permits them. */
  | 'APPROVALS_NOT_AWAITED'
  /** One person satisfies all that the rule asks for. */
  | 'ONE_PERSON_QUORUM'
  /** Nobody is named as the person behind a client whose requests need approvals. */
  | 'REQUESTER_UNNAMED'
  /** Funds may move without a bound. */
  | 'TRANSFER_UNLIMITED'
  /** Each transfer is bounded, and their number is not. */
  | 'TRANSFERS_UNCOUNTED'
  /** The node cannot read what it signs. */
  | 'BLIND_PAYLOAD'
  /** A key that signs blocks under a watermark signs what nobody reads, too. */
  | 'WATERMARK_BYPASSED'
  /** Effects whose meaning is not known are permitted. */
  | 'UNREAD_EFFECT'
  /** Any destination is permitted. */
  | 'ANY_DESTINATION'
  /** Any contract may be called. */
  | 'ANY_CONTRACT'
  | 'DANGEROUS_FEATURE'
  | 'RULE_EXPIRED'
  | 'CONFIGURATION_OVER'
  /** Several rules end at the same moment. */
  | 'RULES_EXPIRE_TOGETHER'
  /** The configuration ends, and with it every permission. */
  | 'CONFIGURATION_EXPIRES'
  | 'WITNESSES_NONE'
  /** Two disjoint sets of honest witnesses can each reach the threshold. */
  | 'WITNESSES_UNSOUND'
  /** The threshold bears no witness that lies or forgets. */
  | 'WITNESSES_BEAR_NO_FAULT'
  /** What a threshold that is sound bears. */
  | 'WITNESSES_BEAR'
  /** For some time the node signs without its witnesses. */
  | 'WITNESSES_WAIVED'
  /** Other nodes are named than the manifest counts. */
  | 'PEERS_TOO_FEW'
  /** Two images of a peer are accepted for ever. */
  | 'PEER_IMAGE_ENDLESS'
  /** An image of a peer is accepted no more. */
  | 'PEER_IMAGE_OVER'
  /** No image of a peer is accepted any more. */
  | 'PEER_SHUT_OUT'
  /** The signature of one image is asked for, and not that of another one. */
  | 'PEER_IMAGE_UNSIGNED'
  /** A key that the node is to serve alone is a share. */
  | 'SERVES_SHARE_ALONE'
  /** Nobody but other nodes of the quorum witnesses. */
  | 'WITNESSES_PEERS_ALONE'
  /** Peers have keys by which they cosign, and none has to. */
  | 'PEER_WITNESSES_UNUSED'
  /** What the number of peers does not say: whoever runs several of them is one witness. */
  | 'PEER_WITNESSES_ONE_FAULT'
  /** The node may start without its peers, from one tree. */
  | 'PEERLESS_RESTART'
  /** No rule permits a client to make a key in a pool. */
  | 'POOL_WITHOUT_CREATION'
  /** A rule permits clients something with a pool that they do not see. */
  | 'POOL_UNSEEN'
  /** The maxima of all pools are more than a store holds. */
  | 'POOLS_EXCEED_STORE'
  /** A key needs a kept backup, and no rule lets anybody make one. */
  | 'BACKUP_UNOBTAINABLE'
  /** Keys sign, and need no backup. */
  | 'BACKUP_NOT_REQUIRED'
  /** A key without a kept backup signs nothing at all. */
  | 'UNCOVERED_SIGNS_NOTHING'
  /** One who keeps backups stands behind a client that they are asked from. */
  | 'KEEPER_IS_REQUESTER'
  /** A passkey is used over a connection that anybody on the way can alter. */
  | 'PASSKEY_ORIGIN_HTTP'
  /** No browser gives the passkey to a page of this origin. */
  | 'PASSKEY_ORIGIN_FOREIGN';

/** `note` is for a reader to know; only `error` says that the configuration does not do what it says. */
export type Severity = 'error' | 'warning' | 'note';

/** One thing that those who sign a configuration should know of it. */
export interface ConfigurationFinding {
  readonly code: ConfigurationLintCode;
  readonly severity: Severity;
  /** Rule or other part that the finding is about; null: the configuration. */
  readonly subject: string | null;
  /** What was found, and what it means. */
  readonly text: string;
}
