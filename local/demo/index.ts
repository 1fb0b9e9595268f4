export { DEMO_PARTS, type DemoStep, runDemo } from './demo.ts';
export { CLIENT, DEMO_KEYS, DEMO_RULES } from '../testbed/scenario.ts';
