export { type FunctionCode, type FunctionName, readFunction } from './functions/code.ts';
export {
  type ConfigSigningRequest,
  type ConfigSigningResponse,
} from './functions/config-signing/protocol.ts';
export {
  CONFIG_SIGNING_KEYS,
  deploymentPrefix,
  HOST_PARAMETERS,
  INFRASTRUCTURE_PARAMETERS,
  MAX_TEMPLATE_BODY_BYTES,
  NODE_PARAMETERS,
  nameHostRole,
  nameStack,
  perNode,
  STACK_OUTPUTS,
} from './names.ts';
export { readStackPolicy } from './stacks/stack-policy.ts';
export {
  readConsoleTemplate,
  readTemplate,
  type StackName,
  type TemplateOptions,
} from './stacks/template.ts';
