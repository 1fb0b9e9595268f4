export { playDecisions, runDemo, startOnce } from './demo.ts';
export type { DecidedTransfer } from './decide.ts';
export { playVault } from './vault.ts';
export { DEMO_PARTS, DEMO_STORIES, type DemoStep, type DemoStory } from './steps.ts';
export { CLIENT, DEMO_KEYS, DEMO_RULES } from '../testbed/scenario.ts';
