export { createEthereumProtocol, type EthereumNodes } from './door.ts';
