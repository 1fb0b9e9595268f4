export {
  gatewayFields,
  identifierSchema,
  type ListenConfig,
  listenSchema,
  parseGatewayConfig,
  pathSchema,
  secretSchema,
  type SecretSource,
} from './config.ts';
export { GatewayError, type GatewayErrorCode } from './errors.ts';
export type { GatewayAddress, GatewayListen, GatewayTls } from './listen.ts';
export { createGatewayLog, type GatewayLog, silentGatewayLog } from './log.ts';
export { type GatewayClient, type GatewayNode, GatewayNodes } from './nodes.ts';
export { startProbeServer } from './probes.ts';
export {
  CARRIED_OUT,
  type GatewayProtocol,
  type GatewayRecord,
  type GatewayRefusal,
  type GatewayRequest,
  type GatewayResponse,
  type RefusalCode,
} from './protocol.ts';
export { nodeCode, type NodeState, type Readiness } from './readiness.ts';
export { type GatewayServer, startGatewayServer } from './server.ts';
