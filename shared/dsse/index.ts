export * from './envelope.ts';
export * from './parsing.ts';
