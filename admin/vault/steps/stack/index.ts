export { describeStack } from './describe.ts';
export { outputsOf, readOutput, type StackOrder } from './order.ts';
export { applyStack, type FoundStack, inspectStack } from './stack.ts';
