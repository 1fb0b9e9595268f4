/** The images that a life needs, by name. */
export const LIFE_IMAGES = ['first', 'second', 'repacked', 'without-nsm'] as const;
export type LifeImage = (typeof LIFE_IMAGES)[number];

export const LIFE_PARTS = ['First start', 'The parent', 'Second start', 'Upgrade', 'Refused'] as const;

/** Step in the life of a node: a sentence that says what must happen, and the outcome that shows it. */
interface LifeStep {
  readonly part: (typeof LIFE_PARTS)[number];
  readonly title: string;
  readonly outcome: string;
}

/** The outcome of a step that a machine as slow as this one cannot show. */
export const TOO_SLOW = 'TOO_SLOW';

/** Steps in their order; `programs/node-life.ts` plays them. */
export const LIFE_STEPS = {
  start: {
    part: 'First start',
    title: 'boots, has KMS make its password for an attested key, and serves',
    outcome: 'serving',
  },
  heartbeat: {
    part: 'First start',
    title: 'was heard by CID 3, port 9000, where nitro-cli waits for its heartbeat',
    outcome: 'b7',
  },
  measured: {
    part: 'First start',
    title: 'has the PCRs of the build in its NSM, and the manifest in PCR16',
    outcome: 'PCR0 PCR1 PCR2 PCR16',
  },
  unverified: {
    part: 'First start',
    title: "is not believed by the project's own client, as an emulator's documents bear no signature",
    outcome: 'COSE_ALGORITHM',
  },
  signatures: {
    part: 'First start',
    title: 'signs with each kind of key, and each signature verifies',
    outcome: 'all verify',
  },
  killed: {
    part: 'The parent',
    title: 'serves again when the parent was killed amid a request, and has lost nothing acknowledged',
    outcome: 'nothing lost, same boot',
  },
  killedAmidCommit: {
    part: 'The parent',
    title: 'serves again when the parent was killed amid a commit, and has lost nothing acknowledged',
    outcome: 'nothing lost, same boot',
  },
  stopped: {
    part: 'The parent',
    title: 'serves again when the parent was stopped and started',
    outcome: 'exit 0, same boot',
  },
  again: {
    part: 'Second start',
    title: 'opens its store by an attested Decrypt, in another enclave',
    outcome: 'serving',
  },
  kept: {
    part: 'Second start',
    title: 'has the same keys and every share that it acknowledged',
    outcome: 'all the same, all verify',
  },
  unknownImage: {
    part: 'Upgrade',
    title: 'another image is refused while the key policy names the first alone',
    outcome: 'KMS_ACCESS_DENIED',
  },
  upgraded: {
    part: 'Upgrade',
    title: 'the other image serves, with the same keys, once the key policy names both',
    outcome: 'serving, all the same',
  },
  oldImage: {
    part: 'Upgrade',
    title: 'the first image is refused when the key policy names the other alone',
    outcome: 'KMS_ACCESS_DENIED',
  },
  otherManifest: {
    part: 'Refused',
    title: 'another manifest, whose authority has signed a configuration, by KMS for its PCR16',
    outcome: 'KMS_ACCESS_DENIED',
  },
  repacked: {
    part: 'Refused',
    title: 'a repacked image of the same PCRs whose kernel does not get all of its command line',
    outcome: 'INIT_CMDLINE',
  },
  withoutNsm: {
    part: 'Refused',
    title: 'a machine without an NSM, before anything else is started',
    outcome: 'INIT_ENTROPY',
  },
} as const satisfies Record<string, LifeStep>;
export type LifeStepId = keyof typeof LIFE_STEPS;
