import { PopulateError } from './errors.ts';

/** What every response repeats of its request. */
export interface ResponseAddress {
  /** Pre-signed URL to which the response is put. */
  readonly url: URL;
  readonly stackId: string;
  readonly requestId: string;
  readonly logicalResourceId: string;
  /** Left out by CloudFormation when it creates. */
  readonly physicalResourceId: string | undefined;
}

/** What CloudFormation asks for. */
export interface PopulateRequest {
  readonly type: 'Create' | 'Update' | 'Delete';
  /** ARN of the secret. */
  readonly secretId: string;
  /** Number of the secret's content, from 1. */
  readonly generation: number;
  /** Generation before an update. */
  readonly oldGeneration: number | undefined;
}

const MAX_TEXT = 4096;
const MAX_GENERATION = 9999;
const TYPES = ['Create', 'Update', 'Delete'] as const;

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads where a response goes. Without that nobody can be told anything.
 *
 * Source: AWS CloudFormation User Guide, "Custom resource request and response reference".
 *
 * @throws PopulateError POPULATE_REQUEST_MALFORMED
 */
export function parseAddress(event: unknown): ResponseAddress {
  const members = readMembers(event, 'the event');
  const physical = members['PhysicalResourceId'];
  const text = readText(members, 'ResponseURL');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw malformed('ResponseURL: expected an https URL');
  return {
    url,
    stackId: readText(members, 'StackId'),
    requestId: readText(members, 'RequestId'),
    logicalResourceId: readText(members, 'LogicalResourceId'),
    physicalResourceId: physical === undefined ? undefined : readText(members, 'PhysicalResourceId'),
  };
}

/** @throws PopulateError POPULATE_REQUEST_MALFORMED */
export function parseRequest(event: unknown): PopulateRequest {
  const members = readMembers(event, 'the event');
  const type = TYPES.find((each) => each === members['RequestType']);
  if (type === undefined) throw malformed(`RequestType: expected ${TYPES.join(', ')}`);
  const properties = readMembers(members['ResourceProperties'], 'ResourceProperties');
  const unknown = Object.keys(properties).find((name) => !PROPERTIES.has(name));
  if (unknown !== undefined && type !== 'Delete') throw malformed(`unknown property ${unknown.slice(0, 64)}`);
  const old = members['OldResourceProperties'];
  return {
    type,
    secretId: readText(properties, 'SecretId'),
    generation: readGeneration(properties),
    oldGeneration:
      type === 'Update' && old !== undefined
        ? readGeneration(readMembers(old, 'OldResourceProperties'))
        : undefined,
  };
}

/** CloudFormation hands the first two on to the function. */
const PROPERTIES: ReadonlySet<string> = new Set(['ServiceToken', 'ServiceTimeout', 'SecretId', 'Generation']);

function readMembers(value: unknown, name: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw malformed(`${name}: expected an object`);
}

function readText(members: Members, name: string): string {
  const value = members[name];
  if (typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT) return value;
  throw malformed(`${name}: expected a text of at most ${MAX_TEXT} characters`);
}

/** CloudFormation makes a text of every number. */
function readGeneration(properties: Members): number {
  const text = readText(properties, 'Generation');
  const generation = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (generation >= 1 && generation <= MAX_GENERATION) return generation;
  throw malformed(`Generation: expected an integer from 1 to ${MAX_GENERATION}`);
}

function malformed(message: string): PopulateError {
  return new PopulateError('POPULATE_REQUEST_MALFORMED', message);
}
