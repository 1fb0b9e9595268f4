export { type EthereumSection, ethereumSectionSchema } from './config.ts';
export { createEthereumProtocol, type EthereumNodes } from './door.ts';
