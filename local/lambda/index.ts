export { createLambdaService, renderPermission, type Permission } from './service.ts';
export { Lambda, type InvocationRecord, type LambdaOptions, type NewFunction } from './lambda.ts';
export { arnOf as functionArn, type FunctionSettings, type LambdaFunction } from './records.ts';
