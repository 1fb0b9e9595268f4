import type { CodeArea } from './area.ts';

export const CONFIGURATION_LINT_CODES: readonly CodeArea[] = [
  {
    title: 'What is wrong with a configuration that is well-formed',
    who: '`config lint`',
    next: 'Change the rule that it names before anybody signs, or sign it knowing that.',
    codes: {
      ANY_CONTRACT: 'a rule permits calls of any function of any contract',
      ANY_DESTINATION: 'a rule permits an effect whoever gains by it: `to` is null',
      APPROVALS_NOT_AWAITED: [
        'a rule asks for approvals for operations on keys, which cannot wait: they are denied',
        'Permit them in a rule without approvals, to a client of its own.',
      ],
      BLIND_PAYLOAD: [
        'a rule permits payloads that the node cannot read',
        'Have the client send the transaction itself; where it cannot, ask for approvals and set a rate.',
      ],
      CONFIGURATION_EXPIRES: [
        'the configuration has an end, after which every request is denied',
        'Have the next one signed before.',
      ],
      CONFIGURATION_OVER: 'the end of the configuration is past: it permits nothing',
      DANGEROUS_FEATURE:
        'a rule tolerates a feature of transactions by which more can be lost than its amounts say',
      ONE_PERSON_QUORUM: [
        'one person satisfies all the approvals that a rule asks for',
        'Ask for two, or for one each of two groups without a common member.',
      ],
      POOLS_EXCEED_STORE: [
        'the maxima of all pools together are more keys than the store has room for',
        'Lower them: the store refuses keys (STORE_FULL) before a pool is full.',
      ],
      POOL_UNSEEN: [
        'a rule permits clients something with a pool whose `clients` do not name them',
        'Name them there, or take the pool out of the rule.',
      ],
      WATERMARK_BYPASSED: [
        'a rule permits blind signatures with a key that signs blocks or attestations: the watermark does not see what those are of',
        'Give bakers keys of their own, which no rule of blind payloads names.',
      ],
      POOL_WITHOUT_CREATION: [
        'no rule permits a client to make a key in the pool',
        'Permit `create-key` in a rule that names the pool, or take the pool out.',
      ],
      PASSKEY_ORIGIN_FOREIGN: 'no browser gives a passkey to a page whose origin is not of its relying party',
      PASSKEY_ORIGIN_HTTP: 'a page without TLS asks for consent, which whoever is on the way can alter',
      PEERS_TOO_FEW: [
        'the configuration names more or fewer nodes than the manifest counts; an error where they are fewer than sign together',
        'Name all nodes of the quorum but this one.',
      ],
      PEER_IMAGE_ENDLESS: [
        'several images of a peer are accepted without an end, the old one after an upgrade among them',
        'Give the old image an end (`notAfter`) at which the upgrade is over.',
      ],
      PEER_IMAGE_OVER: 'the time until which an image of a peer was accepted is past',
      PEER_IMAGE_UNSIGNED:
        'the signer (PCR8) of one image of a peer is compared, and that of another one is not',
      PEER_SHUT_OUT: [
        'the time until which images of a peer were accepted is past, for all of them',
        'Name the image that the node runs now.',
      ],
      BACKUP_NOT_REQUIRED: [
        'keys of the configuration sign whether or not a backup of them is kept',
        'Name them in recovery.required, if their loss would matter.',
      ],
      BACKUP_UNOBTAINABLE: [
        'a key needs a kept backup, and no rule permits anybody to make one',
        'Add a permit of the operation backup that names the key.',
      ],
      KEEPER_IS_REQUESTER: [
        'the person behind a client that asks for backups also says that they are kept',
        'Have somebody else keep them, or name nobody behind that client.',
      ],
      UNCOVERED_SIGNS_NOTHING: [
        'a new key signs nothing at all before its backup is acknowledged',
        'Nothing has to be done where that is meant; recovery.maxUncovered says what it may do before.',
      ],
      PEER_WITNESSES_ONE_FAULT: [
        'nodes that one host, account or administrator runs count as one witness',
        'Nothing has to be done where each peer has a host, an account and an administrator of its own.',
      ],
      PEER_WITNESSES_UNUSED: [
        'peers have keys by which they cosign, and quorum.witnesses asks for none of them',
        'Say in quorum.witnesses how many must cosign, or drop the keys.',
      ],
      PEERLESS_RESTART: [
        'the node may start without its peers, from the one tree that quorum.witnesses.restart names',
        'Compare that tree with a checkpoint kept elsewhere; have the next configuration leave it out.',
      ],
      QUORUM_IMPOSSIBLE: 'a rule asks for more people than its groups have, each of whom counts once',
      QUORUM_IMPOSSIBLE_FOR_CLIENT:
        'without the person behind a client, its groups have too few people for what the rule asks for',
      REQUESTER_UNNAMED: [
        'nobody is named behind a client whose requests need approvals',
        'Name the approver who holds the key of the client as its person; a machine of its own has none.',
      ],
      RULES_EXPIRE_TOGETHER: 'several rules end at the same moment',
      RULE_DENIED_WHOLLY: 'another rule denies all that this one permits',
      RULE_EXPIRED: 'the end of a rule is past',
      RULE_NAME_UNREACHABLE: 'a name in a rule fits nothing else that the rule names, and has no effect',
      RULE_UNREACHABLE: 'no request can match the rule: its members never occur together',
      SERVES_SHARE_ALONE: [
        'a share is among the keys that the node is to serve alone, which no share can',
        'Take it out of `servesAlone`; a key of one node is of another type.',
      ],
      TRANSFERS_UNCOUNTED: [
        'a rule bounds each transfer and not how many there are',
        'Add a limit on the asset, or a rate.',
      ],
      TRANSFER_UNLIMITED: [
        'a rule lets any amount move: no amount, limit or tier bounds it',
        'Bound the amount, and add a limit on the asset.',
      ],
      UNREAD_EFFECT: 'a rule permits parts of transactions whose meaning the node does not know',
      WITNESSES_BEAR: [
        'how many witnesses may lie, and how many may be down, under the threshold',
        'Nothing has to be done.',
      ],
      WITNESSES_BEAR_NO_FAULT:
        'one witness that lies or was restored from a backup is enough to hide a rollback',
      WITNESSES_NONE: [
        'the configuration names no witnesses: a rollback of the whole store is not noticed',
        'Name witnesses; SECURITY.md says what remains without them.',
      ],
      WITNESSES_PEERS_ALONE: [
        'only the other nodes of the quorum witness: a rollback of all of them together is not noticed',
        'Name outside witnesses beside them; docs/transparency-log.md says what peers alone give.',
      ],
      WITNESSES_UNSOUND:
        'the threshold is not more than half: two histories can both be cosigned by honest witnesses',
      WITNESSES_WAIVED: 'maxUncosignedSeconds lets the node sign for a while without its witnesses',
    },
  },
  {
    title: 'Configurations that are tried before anybody signs them',
    who: '`config test`, `config explain`, `config diff`, `config replay`, `config sign --cases`',
    next: 'Mend what the message names; docs/config-tools.md has an example.',
    codes: {
      CASES_DIFFER: [
        'the configuration decides a case of the table otherwise than it expects; rows names the first',
        'Look at all of them by "holdfast config test"; mend the configuration, or the table.',
      ],
      CONFIGURATION_LINTED: [
        'the lint finds errors in the configuration that is to be signed; codes names them',
        'Mend it; "holdfast config lint" shows all findings. What is meant so is signed with --with-errors.',
      ],
      CASES_FILE_MALFORMED: 'the table is not YAML 1.2 without anchors, nor JSON',
      CASES_MALFORMED: 'the table does not match its schema; field says where',
      KEYS_FILE_MALFORMED: [
        'the file of --keys is not what "holdfast node keys --json" prints',
        'Give that, whole.',
      ],
      PUBLIC_KEY_UNKNOWN: [
        'a transaction cannot be read without the public key of its key',
        'Pin publicKey in the configuration, or give --keys with what "holdfast node keys --json" prints.',
      ],
      REQUEST_FILE_MALFORMED:
        'not a request: the JSON body of POST /v1/sign, and beside it the id of the client; field says where',
    },
  },
  {
    title: 'Configurations of Signatory that are imported',
    who: '`config import`',
    next: 'Mend the field that the details name, and import again.',
    codes: {
      SIGNATORY_CONFLICT: [
        'the configuration that the import goes into has something else under an id of it',
        'Rename what is there, or take it out.',
      ],
      SIGNATORY_CONTRADICTORY: 'two fields that together keep Signatory itself from starting',
      SIGNATORY_MALFORMED:
        'a value that is none of its field: an address, a public key, a kind of request or operation, a chain, a driver',
      SIGNATORY_NETWORK_UNKNOWN: [
        'a key signs on any chain in Signatory, and a key of a node serves one',
        'Give --chain, or `allowed_chains` of one chain.',
      ],
      SIGNATORY_NOT_YAML:
        'not YAML of one document of at most 256 KiB, with a key twice in one object, or with aliases',
      SIGNATORY_UNKNOWN_FIELD: [
        'a field that Signatory does not have: it was ignored there, whatever it was to protect',
        'Find out what was meant, and whether the present signer does it.',
      ],
    },
  },
];
