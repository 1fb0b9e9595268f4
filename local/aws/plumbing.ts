/** Parts that a service of the local AWS is built from. */
export { AwsServiceError, blob, optional, parseInput } from '../../shared/aws-json/index.ts';
export { callerArn } from './directory.ts';
export { bodyOfBytes, moveBody, type ReceivedBody } from './received-body.ts';
export {
  globalContext,
  type AuthenticatedRequest,
  type AwsService,
  type FilePart,
  type JsonService,
  type Operations,
  type QueryService,
  type RestRequest,
  type RestResponse,
  type RestService,
} from './service.ts';
export { element, writeXml, type XmlElement } from './xml.ts';
export { StateStore } from './state.ts';
