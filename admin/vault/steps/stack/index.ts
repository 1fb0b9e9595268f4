export { readOutput, type StackOrder } from './order.ts';
export { applyStack, discardChangeSet, inspectStack } from './stack.ts';
