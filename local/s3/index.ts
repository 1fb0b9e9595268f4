export { createS3Service } from './service.ts';
export { S3, type NewBucket, type S3Options } from './s3.ts';
export type { Bucket, KeptDocument, LockRule, PublicAccessBlock, Version } from './model/records.ts';
export { mayReadObject } from './may-read.ts';
