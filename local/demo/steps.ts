/** Line of the demonstration: what was done, whether the outcome is as it must be, and the outcome. */
export interface DemoStep extends StepResult {
  readonly part: DemoPart;
  readonly title: string;
  readonly milliseconds: number;
}

export const DEMO_PARTS = [
  'provision',
  'boot',
  'sign',
  'restart',
  'refuse at boot',
  'refuse at work',
  'decide',
  'approve',
  'prove',
  'door',
  'witness',
  'quorum',
  'vault',
] as const;
/** Parts that are played by themselves, each of one or more of the above. */
export const DEMO_STORIES = ['node', 'decisions', 'quorum', 'vault'] as const;
export type DemoStory = (typeof DEMO_STORIES)[number];

export type DemoPart = (typeof DEMO_PARTS)[number];

/** Result of a step: `ok` when it is as it must be. */
export interface StepResult {
  readonly ok: boolean;
  /** Outcome: a code, a figure, a key or a sentence. */
  readonly outcome: string;
  /** What is to be read beside the outcome, a sentence each. */
  readonly details?: readonly string[];
}

/** Takes a step of a part, and tells of it. */
export type Step = (part: DemoPart, title: string, act: () => Promise<StepResult>) => Promise<void>;

/** What a step leaves running until the end of the demonstration. */
export type Running = Set<{ stop(): Promise<void> }>;

/** Compares an outcome, a code, with the one that is due. */
export function judge(expected: string, actual: string): StepResult {
  return {
    ok: actual === expected,
    outcome: actual === expected ? actual : `${actual}, expected ${expected}`,
  };
}
