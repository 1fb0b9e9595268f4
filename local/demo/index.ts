export { playDecisions, runDemo } from './demo.ts';
export type { DecidedTransfer } from './decide.ts';
export { DEMO_PARTS, type DemoStep } from './steps.ts';
export { CLIENT, DEMO_KEYS, DEMO_RULES } from '../testbed/scenario.ts';
