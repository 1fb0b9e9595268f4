export { type Api, startApi } from './api.ts';
