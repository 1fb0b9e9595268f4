export type { Identity } from './identity.ts';
export { type ConfigurationBody, type ConfigurationBody2, openTestNode, type TestNode } from './test-node.ts';
export { runNode, type RunOptions, type StartedNode } from './run-node.ts';
export { type ParentFiles, testNodeParentOptions } from './test-node-parent.ts';
export { startKmsGateway, type KmsGateway } from './kms-gateway.ts';
export { openTestbed, type Testbed } from './testbed.ts';
export { bringUp, type LocalNode, type LocalNodes } from './up.ts';
