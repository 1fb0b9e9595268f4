import type { CodeArea } from './area.ts';

export const VAULT_STEP_CODES: readonly CodeArea[] = [
  {
    title: 'Statements that the roles of a vault exchange',
    who: '`vault plan`, `vault apply` and `vault status`, of what lies in the exchange folder',
    next: 'Ask the role whose statement it is for the file again, by another way, and compare; nothing was done with it.',
    codes: {
      STATEMENT_FILE_CHANGED: 'a file has other bytes than its role has signed for; file names it',
      STATEMENT_FILE_MISSING: 'a file that a statement names is not in the folder: a copy that is not whole',
      STATEMENT_KEY_WRONG: [
        'the private key is not the one that vault.yaml names for the role',
        'Give the file that "holdfast vault join" has made, --statement-key keys/ROLE.statement.pem, and no authority key; for another key, all roles need a new vault.yaml.',
      ],
      STATEMENT_MALFORMED:
        'a statement is no DSSE envelope, no strict JSON, or has members that it should not',
      STATEMENT_OLDER: [
        'the folder has an older statement than this machine has seen, or another one of the same number, or it is gone; or somebody else has told the others meanwhile',
        'Somebody has put an old copy of the folder in place, or two people of one role work at once: find out which, then run it again.',
      ],
      STATEMENT_OTHER_ROLE: 'a statement lies in the folder of another role than its own',
      STATEMENT_OTHER_STEP: 'a statement lies under the name of another step than its own',
      STATEMENT_OTHER_VAULT: [
        'a statement is about a vault.yaml with other bytes',
        'Compare the SHA-384 that "vault check" prints with that of the role: all have to have the same file.',
      ],
      STATEMENT_UNKNOWN_KEY: 'a statement is not signed by the key that vault.yaml names for its role',
    },
  },
  {
    title: 'Steps of a vault',
    who: '`vault plan` and `vault apply`',
    next: 'Mend what is named, and run it again: what was done stays done, and the run goes on from there.',
    codes: {
      VAULT_AUTHORITY_MISSING: [
        'too few of the private keys that were given are configuration authorities of the node',
        'Give --authority-key for as many of them as the threshold of the node says.',
      ],
      VAULT_CEREMONY_OVER: [
        'a step of the first ceremony would sign the first rules of the vault again, though the node has a later configuration; later names the step that has it. Nothing was signed',
        'Nothing is to be signed there. Where the statement of that step is gone, put back the copy that others have of exchange/. What the node is to run besides is signed by "holdfast vault configure apply".',
      ],
      VAULT_CHANGE_DIFFERS: [
        'another admin has stated other rules for the change of the vault that you have not taken part in yet; node is theirs. Of "vault init --like": admins have stated different rules for the newest change, and none of them as many as the threshold; stated names each',
        'Ask them, and take the same file: it lies in exchange/ beside their statement, as rules.yaml. Where theirs is not to be, begin another change by --anew, which the others then take part in. For "vault init", agree which rules hold, and give --like a copy of that rules.yaml in a folder of its own.',
      ],
      VAULT_CHANGE_LEAP: [
        'the change of the vault is numbered too far ahead of all in which the other admins have taken part: as an error it is yours and nothing was signed, and beside a node in "vault status" that number counts for nobody else',
        'Have the others take part in a change first. What your node alone is to run, give by --configuration. Beside another node: ask its admin what they have stated; their next change is numbered as those of the others.',
      ],
      VAULT_CHANGE_NONE: [
        'the description has the people, keys and rules that the node has already',
        'Nothing is to be signed. Change clients or tenant in the copy of vault.yaml first.',
      ],
      VAULT_CONFIGURATION_DIFFERS: [
        'the node runs another configuration than its admin has stated last, or the file of a statement is another one; nothing was touched',
        'inForce above stated: it was signed past the vault. State that one first: "holdfast vault configure apply --configuration FILE". Below: have infrastructure run "holdfast vault configure apply", which brings what was stated.',
      ],
      VAULT_CONFIGURATION_LINTED: [
        'the configuration that is to be signed does not do what it says; findings says why',
        'Mend the rules: "holdfast explain CODE" with the code of a finding.',
      ],
      VAULT_CONFIGURATION_OLD: [
        'the version of the configuration is not above the newest one of the node',
        'Give the file a version above newest.',
      ],
      VAULT_DEPLOY_FAILED: [
        'the host has refused the deployment; reason is its code',
        'See "holdfast explain REASON": what ran on the host before runs on.',
      ],
      VAULT_DEPLOY_MALFORMED: [
        'the host has not answered as "parent deploy" does',
        'Look at the command in Systems Manager, and whether Holdfast is installed on the host.',
      ],
      VAULT_FUNCTION_CHANGED: [
        'the function that signs configurations is not the one that was put into the stack: another code, place or variable; field says which',
        'Find out in CloudTrail who has changed it (UpdateFunctionCode, UpdateFunctionConfiguration), and what it has signed since: whatever the key has signed lies in configurations/ of the bucket, or was signed past the function.',
      ],
      VAULT_JOURNAL_DAMAGED: [
        'what this machine remembers of the role is not what "vault apply" writes',
        'Move the file away: the statements and AWS itself say what is done. It is no longer noticed then if the exchange folder is an old copy.',
      ],
      VAULT_KEY_POLICY_CHANGED: [
        'the key has another policy than the steps have put: it is not closed before its gate, or was changed since',
        'Find out in CloudTrail who has put it (PutKeyPolicy). Close the key with "key-policy close" before you go on.',
      ],
      VAULT_KEYS_LOST: [
        'the configuration leaves out, changes or drops keys that the node holds; keys names them',
        'Leave them in. What nobody is to use any more, name by --without-key, after it was backed up.',
      ],
      VAULT_LOCKED: [
        'another run of the same role is under way on this machine; pid is its process',
        'Wait for its end. The lock goes with the process, whatever ends it.',
      ],
      VAULT_NODE_UNEXPECTED: [
        'a node serves that KMS should refuse yet, or has halted though it should serve; code says why',
        'See "holdfast explain CODE" with the code of the node.',
      ],
      VAULT_NODES_LEFT: [
        'some nodes were left as they are, and all others went on; left names each with its code, what was said, and the role whose turn it is',
        'Have that role mend what the code of the node says ("holdfast explain CODE"), and run it again, which takes the node along. An admin whose node runs another configuration than they have stated states that one by "holdfast vault configure apply --configuration FILE". If they never do, an upgrade is rolled back without them, until its day: stop the parent on the host of that node, and have "holdfast vault upgrade rollback" go on with the others.',
      ],
      VAULT_OBJECT_DIFFERS: [
        'the bucket of the stack holds another object, or none, under the name of the function, the manifest or a signed configuration',
        'Somebody has written there beside the steps: look at the versions of the object, and at who may write to the bucket.',
      ],
      VAULT_OTHER_ACCOUNT: [
        'the AWS credentials are those of another account than vault.yaml names for the role',
        'Name the profile of your own account by --aws-profile.',
      ],
      VAULT_OUTPUT_WRONG: [
        'a stack lacks an output, or has one that cannot be right',
        'Somebody has changed the stack beside the steps: compare its template. SigningKeyArn: it was made with ConfigSigningKey = no, and vault.yaml says "function: true" of the node; update the stack with yes, before there is a manifest, or say "function: false".',
      ],
      VAULT_PLAN_CHANGED: [
        'what a step would do is no longer what you were shown and have agreed to; changes says what it is now',
        'Nothing of that step was done. Run the command again, and read what it shows.',
      ],
      VAULT_REBUILD_MISSING: [
        'vault.yaml wants every admin of a node to rebuild an image before they vouch for it (release.rebuilds), and one has not',
        'In a working copy of the release\'s commit: "holdfast vault fetch RELEASE --vault vault.yaml --rebuild". Built elsewhere and compared by yourself: "vault upgrade apply --rebuilt". Where the statement is somebody else\'s, ask that admin.',
      ],
      VAULT_RELEASE_DIFFERS: [
        'the admins of the nodes do not vouch for one and the same image',
        'Compare the measurements that are named: everybody fetches and verifies the same release. Where a statement is not what its admin has meant, they apply again with the right release: the later statement counts.',
      ],
      VAULT_RELEASE_KEY_UNKNOWN: 'vault.yaml names no key that releases are signed with',
      VAULT_RULES_OTHER_VAULT: [
        'the description of changed rules differs from vault.yaml in what no configuration changes: accounts, nodes, threshold, witnesses and the like; fields names it',
        'Copy the newest rules.yaml of the exchange anew, vault.yaml for the first change, and change clients, tenant and parts.gateways alone.',
      ],
      VAULT_SIGNING_MALFORMED: [
        'the function that signs configurations has not answered as it does, or about another configuration; field says in what',
        'Look at its log in CloudWatch. FunctionError: it has ended before it could answer.',
      ],
      VAULT_SIGNING_REFUSED: [
        'the function does not sign the configuration; reason is its code',
        'See "holdfast explain REASON". SIGNING_NOT_CONFIRMED: another one was signed meanwhile; run it again, and read what it shows.',
      ],
      VAULT_STACK_BUSY: [
        'another run changes the stack, from another machine or from the console',
        'Wait for its end, and find out who it is: two people of one role should not work at once.',
      ],
      VAULT_STACK_FAILED: [
        'CloudFormation could not make the stack; cause is the first resource that failed, and what AWS said of it',
        'Mend that and run it again: a first attempt that failed leaves nothing but keys that wait for their deletion, and its empty stack is removed. Where left names something, CloudFormation could not take it back: look at it in the console, remove what nobody has used, delete the stack there, and run it again. Where cause is SigningKey, the Region may have no ECC_NIST_EDWARDS25519: say "function: false" of the node in vault.yaml and sign by keys of your own, or name a Region that has it; everybody takes the changed vault.yaml.',
      ],
      VAULT_STACK_GONE: [
        'a stack of stage 1 that was stated is no more, or another one has its name; expected is what it held. Nothing was made in its place: the next one would have other keys, which no manifest names',
        'Make no other stack of that name. Nodes go on serving by the key, which outlives the stack: find it, have no deletion of it pending, and let it be; have CloudFormation import it and its buckets into a stack of that name if steps are to go on. Where the key is gone, its node is: recover the keys of the vault into another one (docs/recovery.md).',
      ],
      VAULT_STACK_OTHER_VAULT: [
        'the account has a stack of this name of another vault: "a-b" and "c" give the names of "a" and "b-c"; expected and actual are namespace and environment. Nothing was touched',
        'Take another namespace or environment for one of both, or an account of its own. No run takes the stack of another vault for its own.',
      ],
      VAULT_STACK_ROLLBACK_FAILED: [
        'a change of the stack failed, and CloudFormation could not take it back; resources says which resource, and why',
        'Mend that, then "aws cloudformation continue-update-rollback --stack-name STACK" in the account of the role: the stack is as before the change. Skip no resource that holds a key or data. Then run the command again.',
      ],
      VAULT_STACK_TOO_LARGE: 'a template is longer than CloudFormation takes in a request',
      VAULT_STEP_UNFINISHED: [
        'a step did not come to its end in the time that the command waits',
        'It may go on in AWS. Run the command again: it waits on.',
      ],
      VAULT_UPGRADE_CANARY_DIFFERS: [
        'another node than expected is named as the one that goes first; a run or a roll back keeps to the first one',
        'Leave --canary out.',
      ],
      VAULT_UPGRADE_CLIENT_MISSING: [
        'an upgrade has to see the quorum sign, and no client of the vault was given',
        'Give a client that may sign with a key of the quorum: --client, --key and --sign-key.',
      ],
      VAULT_UPGRADE_DAY_DIFFERS: [
        'you have stated another day for this upgrade, which is in the configuration that you have signed',
        'Leave --until out. For another day, have infrastructure roll back, and begin again.',
      ],
      VAULT_UPGRADE_DAY_MISSING: [
        'nobody has said until when the old image is admitted',
        'Give the day at which the overlap of both images ends, within 30 days: --until.',
      ],
      VAULT_UPGRADE_NARROWED: [
        'the key of a node no longer admits the old image: there is no way back to it',
        'Finish the upgrade. To the older release leads an upgrade of its own.',
      ],
      VAULT_UPGRADE_NONE: [
        'no upgrade is under way, or the nodes run that release already',
        'See "holdfast vault upgrade status"; name another release by --to.',
      ],
      VAULT_UPGRADE_ROLLING_BACK: [
        'the upgrade is being rolled back, which everybody has to finish first',
        'Run "holdfast vault upgrade rollback" of your role; "holdfast vault upgrade status" says who waits for whom.',
      ],
      VAULT_UPGRADE_SIGN_KEY: [
        'the key of --sign-key proves nothing of the quorum: the nodes share no such key, or it signs no messages',
        'Name a key that the nodes share and that the client may sign messages with.',
      ],
      VAULT_UPGRADE_UNDER_WAY: [
        'the nodes are being upgraded, or put back: the steps of the first ceremony would undo a part of it',
        'Finish it by "holdfast vault upgrade apply" or "rollback"; "holdfast vault upgrade status" says who waits for whom. A host that is gone infrastructure makes anew meanwhile, once its stack is deleted (docs/upgrade.md).',
      ],
      VAULT_WOULD_DESTROY: [
        'the change would remove or replace what may hold a key or data; resources names it',
        'Nothing was changed. Undo what leads to it in vault.yaml or the template; what is to go, a person removes by hand.',
      ],
      VAULT_WOULD_REOPEN: [
        'the change would put a key policy in place of the one that the gate has put',
        'Nothing was changed. Key policies are changed by "key-policy gate" alone.',
      ],
    },
  },
];
