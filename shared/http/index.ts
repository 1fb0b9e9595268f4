export { LENGTH_REQUIRED_STATUS, ONE_AT_A_TIME, takeOneAtATime } from './one-at-a-time.ts';
export { BodyBudget, WholeRequest } from './whole-request.ts';
