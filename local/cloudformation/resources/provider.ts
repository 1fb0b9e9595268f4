import type { Made } from '../stacks/stack-record.ts';
import type { StackPlace } from '../template/pseudo-parameters.ts';
import type { TemplateObject } from '../template/value.ts';

/** Calls other services for the principal of an operation, whose policies decide. */
export interface ServiceCalls {
  /**
   * Calls an operation of a service that speaks JSON or the query protocol.
   * @throws AwsServiceError as the service refuses
   */
  call(service: string, operation: string, input: object): Promise<Readonly<Record<string, unknown>>>;
  /**
   * Sends a request to a service that goes by method and path.
   * @throws AwsServiceError as the service refuses
   */
  send(service: string, request: RestCall): Promise<RestAnswer>;
}

/** Request of a service that goes by method and path. */
export interface RestCall {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD';
  /** Path, encoded. */
  readonly path: string;
  /** Query without its question mark, encoded. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Answer of a service that goes by method and path. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** One step on one resource. */
export interface ResourceContext extends ServiceCalls {
  readonly place: StackPlace;
  readonly logicalId: string;
  readonly type: string;
  /** Properties after their functions. */
  readonly properties: TemplateObject;
  /** Tags of the stack, with CloudFormation's own. */
  readonly tags: Readonly<Record<string, string>>;
  /** Idempotency token: the same when a step is repeated after a crash. */
  readonly token: string;
  /** Whether the step was begun before a crash, so that what it makes may be there already. */
  readonly isRepeated: boolean;
  /** Name of a resource that the template does not name: STACK-LOGICALID-RANDOM, cut to a length. */
  uniqueName(maxLength: number): string;
  readonly now: number;
  /** Aborted when the stand-in stops; what waits rejects with its reason. */
  readonly signal: AbortSignal;
}

/** How a changed property changes the resource. Source: each type's page, "Update requires". */
export type PropertyUpdate =
  /** No interruption, or some. */
  | 'in-place'
  /** The resource is made anew. */
  | 'replacement'
  /** Some interruption or replacement, by the values. */
  | 'conditional';

/** Current state of a resource that is changed or deleted. */
export interface CurrentResource {
  readonly made: Made;
  readonly properties: TemplateObject;
}

/** Maker of resources of one type. */
export interface ResourceProvider {
  /** Properties of the type, and what their change brings. Others are refused. */
  readonly properties: Readonly<Record<string, PropertyUpdate>>;
  readonly required: readonly string[];
  /** Attributes of `Fn::GetAtt`. */
  readonly attributes: readonly string[];
  /** Attributes whose value another one may be after a change in place. */
  readonly volatileAttributes?: readonly string[];
  /** Makes the resource. A repeated step finds what the first has made. @throws AwsServiceError */
  create(context: ResourceContext): Promise<Made>;
  /** Changes the resource in place. @throws AwsServiceError */
  update(context: ResourceContext, current: CurrentResource): Promise<Made>;
  /** Deletes the resource; one that is gone is no error. @throws AwsServiceError */
  delete(context: ResourceContext, current: CurrentResource): Promise<void>;
}
