/** The stand-ins of KMS and Secrets Manager. */
import { startLocalAws } from '../../../local/testbed/local-aws.ts';
import { serveMeasurements } from './measured-process.ts';

const aws = await startLocalAws({ verifyRecipient: () => Promise.reject(new Error('nobody asks')) });
serveMeasurements({ port: aws.port });
