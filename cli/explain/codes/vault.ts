import type { CodeArea } from './area.ts';

export const VAULT_CODES: readonly CodeArea[] = [
  {
    title: 'The description of a vault',
    who: '`vault join`, `vault init`, `vault check`, `vault sheets`, and every other verb that reads vault.yaml',
    next: 'Mend the field that the message names, and give everybody the same new bytes; docs/vault.md explains each field.',
    codes: {
      VAULT_EXISTS: [
        'a vault.yaml is there already; nothing of it was changed',
        'Edit the file that is there: others may have statements about it. Name another by --vault if you mean another vault.',
      ],
      VAULT_JOIN_EXISTS: [
        'your role has told something else before (differs names in what), or a key that it told of is gone (missing); nothing was changed',
        'Where the former file is right, send that one, and type nothing more. Where a key is missing: put your own copy of the folder back, cp -a COPY/keys . , and run the same command again. Where what you say now is right: mv ROLE.join.json former.json, run the same command again, and send the new file to everybody who has the former one.',
      ],
      VAULT_JOIN_MALFORMED: [
        'the file of a role is not what "vault join" writes, or an option of "vault join" has not its form; field says which',
        'Have the role write it again with "holdfast vault join".',
      ],
      VAULT_JOIN_REPEATED: [
        'two files are of one role',
        'Ask that person which one is theirs, and by which key: nobody else can know.',
      ],
      VAULT_KEY_MISPLACED:
        "a KMS key is not in the account and Region of its node, or a signing key is not the node's own; field says in what",
      VAULT_MALFORMED:
        'vault.yaml is not YAML 1.2 without anchors, or a field is missing, unknown or malformed; fields names them with their lines',
      VAULT_MANIFEST_DIFFERS: [
        'a manifest is not the one that vault.yaml describes for its node',
        'Ask that node admin for it again, and compare vault.yaml: another name, threshold or authority makes another node.',
      ],
      VAULT_NOT_SERVING: [
        'the statements at hand do not say where all nodes serve one release; missing names one that lacks',
        'Ask for the folder exchange/ as it is now: "holdfast vault status" says how far the ceremony is.',
      ],
      VAULT_ROLE_UNKNOWN: [
        'vault.yaml has no such role; known names those that it has',
        'Give one of them by --role. Where the role is right, this is the vault.yaml of another vault.',
      ],
      VAULT_SECRET_INSIDE: [
        'a private key, credentials or a password stand in vault.yaml, which everybody gets; line says where',
        'Take it out, and make another one: whoever has seen the file has it.',
      ],
      VAULT_UNSOUND: [
        'the offline check finds errors, so that nothing is made of the description; findings names them',
        'See "holdfast vault check", and mend each of them.',
      ],
    },
  },
  {
    title: 'What does not fit together in a vault',
    who: '`vault check`',
    next: 'Do what the finding says below its text; docs/vault.md says more.',
    codes: {
      ADMIN_ALONE: 'a role has one admin: without that IAM role nobody can change a key policy any more',
      ADMIN_IS_USER: 'an admin is an IAM user, whose access keys do not expire',
      ADMIN_OF_OTHER_ACCOUNT: 'an admin is of another account than the role',
      ADMIN_OF_OTHER_PARTITION: "an admin's ARN is of another partition of AWS than the Region",
      AUTHORITY_FUNCTION_ALONE: 'the function in a node admin’s account alone configures the node',
      AUTHORITY_KEY_SHARED: 'two nodes have a configuration authority in common, who decides for both',
      AUTHORITY_THRESHOLD_UNMET: 'more authorities should sign than a node has',
      CLIENTS_FROM_ANYWHERE: 'the network lets in ranges of addresses that can hardly be yours',
      CONFIGURATION_FINDING: [
        'the lint of configurations finds something in the rules of the tenant; its own code stands in the text',
        'See "holdfast explain" of the code in the text.',
      ],
      GATEWAY_CLIENT_OWNER: 'a door should act as an owner, who may have keys made and handed on',
      GATEWAY_CLIENT_UNKNOWN: 'a door should act as a client that is not there',
      HOST_TYPE_UNFIT: 'a host of this type runs no enclave, or not this image',
      KEY_NOT_RECOVERABLE: [
        'vault.yaml pins a key that no node of a new vault could take up',
        'A shared key is pinned by its public key alone; a whole key comes back into a file, and into no node (docs/recovery.md).',
      ],
      KEY_OF_TWO_PURPOSES: 'one public key stands for two purposes',
      KEY_PER_NODE: 'a key is no key of the quorum: each node makes one of its own under that id',
      KEY_TO_RECOVER:
        'a key is to come back from backups: owners may import this one, and no other takes its place',
      NAME_TOO_LONG: 'what AWS names after the vault would be too long',
      NAME_UNFIT: 'no stack and no bucket can have a name that begins so',
      NATS_REPLICAS_UNMET: 'more NATS servers should keep each datagram than are named',
      NATS_WITHOUT_PEERS: 'NATS servers are named, and the vault has one node, which has nobody to talk to',
      NETWORKS_OVERLAP: [
        'clients and hosts have addresses of one range, so that each reaches what is meant for the other',
        'Give hosts a subnet of their own, and name its range as peerCidr and that of the clients as clientCidr: "aws ec2 describe-subnets --query \'Subnets[].[SubnetId,CidrBlock]\' --output text" lists them.',
      ],
      NODES_IN_ONE_ACCOUNT: 'two nodes have their keys in one account: its admin decides for both',
      NODE_IN_INFRASTRUCTURE_ACCOUNT: "a node's key would lie in the account of its host",
      OWNERS_EVERYBODY: 'every client administers keys',
      OWNER_SIGNS: 'a client administers keys, and signs with them',
      OWNER_UNKNOWN: 'an owner is none of the clients',
      PARTITIONS_DIFFER:
        'a node is in another partition of AWS than the hosts: no role of one is known in the other',
      PART_CERTIFICATE_ENDS: 'the authorities of the servers of a part end soon',
      PART_CERTIFICATE_UNUSABLE:
        'the authorities of the servers of a part are no certificates, or all of them have ended',
      PEER_WITNESSES_BEAR_LESS: [
        'so many of the other nodes have to cosign that the nodes sign nothing more, and start no more, with fewer of them away than the threshold bears: of three nodes with 2, with one away',
        'Take outside witnesses (parts.witnesses), or one node more, or set maxUncosignedSeconds for the time in which you bring a node back.',
      ],
      PEER_WITNESSES_UNMET: 'more nodes should cosign than there are others',
      PEER_WITNESSES_UNSOUND: [
        'so few other nodes should cosign that two histories of one node can each find as many of them',
        'Take more than half of the others in parts.peerWitnesses.threshold.',
      ],
      PERSON_IN_TWO_ROLES: 'one IAM role is an admin of two roles: one person decides for both',
      PUBLIC_KEY_UNUSABLE: 'a public key is none, or one that everybody has the private half of',
      RECOVERY_KEYS_DIFFER:
        'nodes have different recovery keys: a shared key is recovered from backups that one recovery key opens',
      REGIONS_DIFFER: "a node's key is in another Region than its host",
      REGION_UNFIT: 'no Region, or one whose KMS an enclave cannot authenticate',
      REGION_UNKNOWN: [
        'a Region that the list of this program does not have: misspelt, or opened by AWS after the day of the list',
        'Compare it with what "aws account list-regions" names; it is a warning, because AWS opens Regions.',
      ],
      RELEASE_IN_FOLDER: 'releases come from a folder of one machine',
      RELEASE_KEY_MISSING: 'no key is named by which a release is verified',
      RELEASE_KEY_UNUSABLE: 'the key of releases is no public key of a known kind',
      RULE_ADMINISTERS: 'a rule of the tenant permits what owners alone may have done',
      SERVERS_ANYWHERE: 'hosts may reach a port of servers in ranges of addresses that can hardly be yours',
      STATEMENT_KEY_MISTAKEN: [
        'the file that was given is another key of the vault (an authority key, a key of another role, or a client), and not the statement key of your role',
        'Give the file that "holdfast vault join" has made: --statement-key keys/ROLE.statement.pem.',
      ],
      STATEMENT_KEY_NOT_YOURS: [
        'vault.yaml names another statement key for your role than the one that you hold',
        'See that you gave keys/ROLE.statement.pem, as "holdfast vault join" has made it. If so, do not go on: somebody else would speak for you. Find out who has written the file.',
      ],
      STATEMENT_KEY_SHARED: 'two roles have one statement key: each could speak for the other',
      TENANT_MALFORMED: 'no node would take the configuration that comes of the tenant',
      TENANT_NAME_RESERVED: 'an id begins as those that the vault itself adds',
      THRESHOLD_ABOVE_NODES: 'more nodes should sign than there are',
      THRESHOLD_BEARS_NO_LOSS: 'all nodes are needed: the loss of one is that of the key',
      THRESHOLD_BELOW_MAJORITY:
        'two groups of nodes could sign without each other, and each counts limits by itself',
      THRESHOLD_OF_ONE: 'one node could sign alone',
      UPGRADE_PROOF_MISSING: [
        'no client may sign messages with a shared key of its own and nothing else, which an upgrade wants as proof that the quorum signs',
        'Take the # away at the three places of vault.yaml that say upgrade-check, as "vault init" has written them, or copy the block of docs/upgrade.md: in vault.yaml, or later in rules.yaml by "holdfast vault configure". No key of a wallet or an owner belongs on the machine of infrastructure.',
      ],
      VALUE_LEFT_OPEN: [
        'a value of zeros, which "vault init" writes for what nobody has said yet',
        'Run "holdfast vault check": below each of them it says who types which command to get the value.',
      ],
      WITNESS_KEY_UNUSABLE: "the verifier key of an outside witness is none, or no witness's",
      WITNESS_OUT_OF_REACH: [
        'an outside witness is named by an address that hosts do not reach: they reach port 443 by https, and one other port at the addresses that parts.witnesses.cidr names',
        'Put the witness behind TLS at port 443, or name its addresses in parts.witnesses.cidr.',
      ],
    },
  },
  {
    title: 'What an account of a vault holds otherwise than its description says',
    who: '`vault check --role`, with credentials',
    next: 'Find out who has changed what; nothing was changed by the check.',
    codes: {
      ACCOUNT_NOT_SEEN: [
        'there are no credentials, or they do not suffice: nothing of the account was looked at',
        'Sign in to the account as one of its admins, and check again.',
      ],
      CREDENTIALS_OF_NO_ADMIN: [
        'the credentials are those of somebody whom vault.yaml does not name as an admin of the role',
        'Assume one of the roles that vault.yaml names.',
      ],
      CREDENTIALS_OF_OTHER_ACCOUNT: [
        'the credentials are those of another account than the one of the role',
        'Take credentials of the account that vault.yaml names: --aws-profile, or AWS_PROFILE.',
      ],
      HOST_OUT_OF_NETWORK: [
        'a host has an address that peerCidr does not contain, so that the other hosts do not let it in',
        'Name the range of the subnet of the hosts as peerCidr: "aws ec2 describe-subnets --query \'Subnets[].[SubnetId,CidrBlock]\' --output text" lists it.',
      ],
      KMS_KEY_NOT_USABLE: [
        'the KMS key of the node is disabled, or waits for its deletion',
        'Cancel the deletion and enable the key at once: with it everything that the node has sealed is gone.',
      ],
      KMS_KEY_OF_OTHER_ACCOUNT: 'the KMS key of the node is in another account than vault.yaml names',
      KMS_KEY_OF_OTHER_KIND:
        'the KMS key of the node is a multi-Region key, has imported material, or is not for encryption',
      KMS_KEY_OF_OTHER_REGION: 'the KMS key of the node is in another Region than vault.yaml names',
      STACK_DELETED: [
        'a stack of this name was deleted within ninety days, or is being deleted; what it has kept is to be found by hand',
        'Keys and buckets of stage 1 outlive their stack. Where the ceremony had begun with it, make no other one: see VAULT_STACK_GONE.',
      ],
      STACK_IN_PROGRESS: [
        'a stack is being changed at this moment',
        'Wait until that has ended, and check again.',
      ],
      STACK_OF_OTHER_TEMPLATE:
        'a stack of this name was made from something else than the template of the vault',
      STACK_PARAMETERS_DIFFER: 'a stack has other parameters than vault.yaml gives it',
      STACK_STUCK: [
        'a stack could not be made or changed, and not be rolled back either',
        'See the first failed event of the stack; "holdfast vault apply" goes on once it is mended.',
      ],
    },
  },
  {
    title: 'Secrets of a partition',
    who: '`vault populate`',
    next: 'Nothing was written where a source, a value or a conflict is the matter. Run it again: what is there already is left alone.',
    codes: {
      POPULATE_ACCOUNT: [
        'the credentials are of another account than the one of the partition',
        'Take credentials of the account that vault.yaml names: --aws-profile, or AWS_PROFILE.',
      ],
      POPULATE_NAME_UNKNOWN: 'the partition has no secret of this name; known names those that it has',
      POPULATE_NOT_WRITTEN: [
        'something is to be made of a value that is in no secret yet; name says of which',
        'Carry out the whole plan first: "holdfast vault populate --partition wallet".',
      ],
      POPULATE_PARTITION_UNKNOWN: [
        'the vault has no such partition; known names those that it has',
        'For the secrets of the hosts and doors type "holdfast vault populate --partition wallet"; for those of one node "holdfast vault populate --partition node-1", by its number. Where known lacks a node that you have, --vault names the file of another vault.',
      ],
      POPULATE_SOURCE_EXPOSED: [
        'a file with a secret may be read or written by others than its owner',
        'chmod 600, and ask yourself who has read it: another secret may be due.',
      ],
      POPULATE_SOURCE_FAILED: [
        'a file, a variable or a command gave no value; problem says why, exitCode and complaint what the program said',
        'Run the command by itself and see that it prints the value and nothing else; "allowStderr: true" is for one that complains although all is well.',
      ],
      POPULATE_SOURCE_MISSING: [
        'nothing says where the values of the secrets in names come from, and they cannot be generated',
        'Write a file of sources: "holdfast vault populate --partition PARTITION --template".',
      ],
      POPULATE_VALUES_EXPOSED: [
        'the file of sources, which names programs to start, is of another user, or may be written by others',
        'Look at what it says, then chmod 600.',
      ],
      POPULATE_VALUES_MALFORMED:
        'the file of sources is not YAML, has unknown or malformed fields, holds a secret, or is of another partition',
      POPULATE_VALUE_UNFIT:
        'a value has not the form that its use needs; problem says why, and the value is shown to nobody',
    },
  },
];
