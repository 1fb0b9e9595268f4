export { createLambdaService } from './service.ts';
export { Lambda, type InvocationRecord, type LambdaOptions, type NewFunction } from './lambda.ts';
