export { aggregateSignature, type GroupSignature, type SignatureShare } from './aggregation.ts';
export { type DealtGroup, type DealtShare, dealShares, sealShare } from './dealer.ts';
export { ClientError, type ClientErrorCode } from './errors.ts';
