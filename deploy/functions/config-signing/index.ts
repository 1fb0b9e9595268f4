import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { writeLog } from '../lambda.ts';
import { createHandler } from './handler.ts';
import { readStackNode } from './node.ts';

/** The entry that Lambda calls. */
export const handler = createHandler({
  kms: new KMSClient({}),
  s3: new S3Client({}),
  stack: readStackNode(process.env),
  now: Date.now,
  log: writeLog,
});
