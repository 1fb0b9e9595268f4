import type { Nouns } from './common/command.ts';

/** Every noun of the command, with the file that holds its verbs. */
export const nouns: Nouns = {
  approve: {
    summary: 'requests that wait for approvals: verified, shown, approved or rejected',
    load: async () => (await import('./approve/commands.ts')).commands,
  },
  attestation: {
    summary: 'attestation documents: verified, or just looked at',
    load: async () => (await import('./attestation/commands.ts')).attestationCommands,
  },
  audit: {
    summary: 'the transparency log of a node: verified, followed, exported, witnessed',
    load: async () => (await import('./audit/commands.ts')).auditCommands,
  },
  canton: {
    summary: 'Canton validators whose keys are in KMS or behind a door: planned, rendered, checked',
    load: async () => (await import('./canton/commands.ts')).commands,
  },
  doctor: {
    summary: 'what is wrong with a parent host, and how to mend it',
    load: async () => (await import('./doctor/commands.ts')).commands,
  },
  eif: {
    summary: 'enclave images: what they hold and measure, without nitro-cli',
    load: async () => (await import('./eif/commands.ts')).eifCommands,
  },
  ers: {
    summary: 'emergency recovery: custodians, backups with their proof, recovery, the drill',
    load: async () => (await import('./ers/commands.ts')).commands,
  },
  explain: {
    summary: 'what a code means, and what to do next',
    load: async () => (await import('./explain/explain.ts')).commands,
  },
  gateway: {
    summary: 'doors for existing clients: run beside them, in front of verified nodes',
    load: async () => (await import('./gateway/commands.ts')).commands,
  },
  'key-policy': {
    summary: 'the KMS key policy of a node: written, questioned, compared, let pass',
    load: async () => (await import('./key-policy/commands.ts')).commands,
  },
  local: {
    summary: 'a Nitro host, an AWS and a policy node on this machine',
    load: async () => (await import('./local/commands.ts')).commands,
  },
  node: {
    summary: 'a policy node: what it proves to be, its keys, its signatures',
    load: async () => (await import('./node/commands.ts')).nodeCommands,
  },
  pcrs: {
    summary: 'measurements: what changed from one pcr.json to another',
    load: async () => (await import('./pcrs/commands.ts')).pcrsCommands,
  },
  manifest: {
    summary: 'who a node is: the bytes that PCR16 binds',
    load: async () => (await import('./manifest/commands.ts')).commands,
  },
  cold: {
    summary: 'a policy node on a machine without a network: requests and signatures by file',
    load: async () => (await import('./cold/commands.ts')).commands,
  },
  config: {
    summary: 'what a node allows: configurations and the signatures of their authorities',
    load: async () => (await import('./config/commands.ts')).commands,
  },
  quorum: {
    summary: 'keys that several nodes share: generated, used, refreshed, handed on, repaired',
    load: async () => (await import('./quorum/commands.ts')).commands,
  },
  receipt: {
    summary: 'receipts: what a node decided, verified years later',
    load: async () => (await import('./receipt/commands.ts')).commands,
  },
  secrets: {
    summary: 'a master password of your own: encrypted for one node, put where its parent reads it',
    load: async () => (await import('./secrets/commands.ts')).commands,
  },
  parent: {
    summary: 'the host side of an enclave: its daemon, its state, a vsock-proxy in its place',
    load: async () => (await import('./parent/commands.ts')).parentCommands,
  },
  vault: {
    summary: 'a vault from empty accounts: described, checked, and each person their own steps',
    load: async () => (await import('./vault/commands.ts')).commands,
  },
  completion: {
    summary: 'scripts by which a shell completes what you type',
    load: async () => (await import('./completion/commands.ts')).createCompletionCommands(nouns),
  },
  man: {
    summary: 'the manual of this command',
    load: async () => (await import('./completion/commands.ts')).createManCommands(nouns),
  },
  profile: {
    summary: 'what you need not type: holdfast.yaml and the environment',
    load: async () => (await import('./profile/show.ts')).commands,
  },
  version: {
    summary: 'which Holdfast this is',
    load: async () => (await import('./version/commands.ts')).commands,
  },
};
