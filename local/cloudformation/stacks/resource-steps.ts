import { createHash } from 'node:crypto';
import { AwsServiceError } from '../../aws/plumbing.ts';
import { validationError } from '../errors.ts';
import type { ResourceContext } from '../resources/provider.ts';
import { isCustom, type ResourceRegistry } from '../resources/registry.ts';
import type { TemplateObject } from '../template/value.ts';
import { Interrupted, NOT_UPDATABLE, PartlyMade, reasonOf, ResourceFailure } from './failure.ts';
import { makeMask } from './no-echo.ts';
import type { ServiceClient } from './service-caller.ts';
import type { Made, Stack, StackOperation, StackResource } from './stack-record.ts';
import type { StackStore } from './stack-store.ts';

export interface StepParts {
  readonly store: StackStore;
  readonly registry: ResourceRegistry;
  readonly services: ServiceClient;
  readonly clock: () => number;
}

/** A step on one resource of a stack whose operation is under way. */
export interface Step {
  readonly stackId: string;
  readonly operation: StackOperation;
  readonly resource: StackResource;
  readonly properties: TemplateObject;
  readonly action: 'create' | 'update' | 'replace';
}

/** Carries out steps on resources, each written down before it begins and after it is over. */
export class ResourceSteps {
  readonly #parts: StepParts;
  readonly #signal: AbortSignal;

  /** @param signal aborted when the stand-in stops */
  constructor(parts: StepParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  /** Makes, changes or replaces a resource. @throws ResourceFailure */
  async carryOut({ stackId, operation, resource, properties, action }: Step): Promise<void> {
    const { registry } = this.#parts;
    const { logicalId, type, made } = resource;
    const verb = action === 'create' ? 'CREATE' : 'UPDATE';
    const { pending } = resource;
    const isRepeated = pending?.operation === operation.id;
    const token = isRepeated ? pending.token : tokenOf(operation, resource);
    const started: StackResource = {
      ...resource,
      reason: undefined,
      pending: { operation: operation.id, action, properties, token },
    };
    const why =
      action === 'replace'
        ? 'Requested update requires the creation of a new physical resource; hence creating one.'
        : undefined;
    this.#show(stackId, started, `${verb}_IN_PROGRESS`, { reason: why, properties });
    try {
      const provider = registry.get(type);
      assertProperties(registry, logicalId, type, properties);
      const context = this.#context(stackId, operation, { ...resource, properties }, { token, isRepeated });
      const result =
        action === 'update' && made !== undefined
          ? await provider.update(context, { made, properties: resource.properties })
          : await provider.create(context);
      this.#settle(stackId, operation, { ...started, properties }, result, action);
      this.#show(stackId, this.#resource(stackId, logicalId) ?? started, `${verb}_COMPLETE`, { properties });
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      const reason = reasonOf(error);
      const left = error instanceof PartlyMade ? error.made : undefined;
      const isUntouched = error instanceof AwsServiceError && error.code === NOT_UPDATABLE;
      const failed = isUntouched ? resource : (this.#resource(stackId, logicalId) ?? started);
      const after =
        action === 'create' && left !== undefined ? { ...failed, properties, made: left } : failed;
      if (action === 'replace' && left !== undefined) {
        this.#addObsolete(stackId, { ...failed, properties, made: left, updateReplacePolicy: 'Delete' });
      }
      this.#show(stackId, after, `${verb}_FAILED`, { reason, properties });
      throw new ResourceFailure(logicalId, reason, error);
    }
  }

  /** Writes down that a resource is what it is to be, with nothing done. */
  keep(stackId: string, operation: StackOperation, resource: StackResource): void {
    const { pending: _pending, ...rest } = resource;
    this.#save(stackId, { ...rest, settledBy: operation.id });
  }

  /** Deletes what a resource has made, or leaves it where its policy says so. Returns whether it is gone or left. */
  async remove(
    stackId: string,
    operation: StackOperation,
    resource: StackResource,
    options: { readonly retain: boolean; readonly isListed: boolean },
  ): Promise<boolean> {
    const { registry } = this.#parts;
    const { made, properties, logicalId } = resource;
    const show = (status: string, reason?: string): void =>
      options.isListed
        ? this.#show(stackId, { ...resource, pending: undefined }, status, { reason })
        : this.#event(stackId, operation, resource, status, { reason });
    if (options.retain && made !== undefined) {
      show('DELETE_SKIPPED');
      return true;
    }
    if (made === undefined) {
      if (options.isListed) show('DELETE_COMPLETE');
      return true;
    }
    show('DELETE_IN_PROGRESS');
    try {
      const token = createHash('sha256')
        .update(`${operation.id}/delete/${logicalId}/${made.physicalId}`)
        .digest('hex');
      const context = this.#context(stackId, operation, resource, { token, isRepeated: false });
      await registry.get(resource.type).delete(context, { made, properties });
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      show('DELETE_FAILED', reasonOf(error));
      return false;
    }
    show('DELETE_COMPLETE');
    return true;
  }

  #settle(
    stackId: string,
    operation: StackOperation,
    resource: StackResource,
    result: Made,
    action: Step['action'],
  ): void {
    const { made: before, pending: _pending, ...rest } = resource;
    const old = this.#resource(stackId, resource.logicalId);
    const isReplaced =
      before !== undefined && (action === 'replace' || before.physicalId !== result.physicalId);
    if (isReplaced && old !== undefined) this.#addObsolete(stackId, { ...old, made: before });
    this.#save(stackId, { ...rest, made: result, settledBy: operation.id });
  }

  #addObsolete(stackId: string, resource: StackResource): void {
    const stack = this.#stack(stackId);
    if (stack.operation === undefined) return;
    const { pending: _pending, ...rest } = resource;
    const { operation } = stack;
    this.#parts.store.save({
      ...stack,
      operation: { ...operation, obsolete: [...operation.obsolete, rest] },
    });
  }

  #context(
    stackId: string,
    operation: StackOperation,
    { logicalId, type, properties }: Pick<StackResource, 'logicalId' | 'type' | 'properties'>,
    { token, isRepeated }: { readonly token: string; readonly isRepeated: boolean },
  ): ResourceContext {
    const { services, clock } = this.#parts;
    const { accountId, region, name, shape } = this.#stack(stackId);
    // A rollback brings the former tags back, too.
    const former = operation.phase === 'rollback' ? operation.previous?.shape : undefined;
    return {
      place: { accountId, region, stackId, stackName: name },
      logicalId,
      type,
      properties,
      tags: {
        ...(former ?? shape).tags,
        'aws:cloudformation:stack-name': name,
        'aws:cloudformation:logical-id': logicalId,
        'aws:cloudformation:stack-id': stackId,
      },
      token,
      isRepeated,
      uniqueName: (maxLength) => makeName(name, logicalId, token, maxLength),
      now: clock(),
      signal: this.#signal,
      ...services.as(operation.actor, region),
    };
  }

  #stack(stackId: string): Stack {
    const stack = this.#parts.store.get(stackId);
    if (stack === undefined) throw new TypeError(`expected a stack with the id ${stackId}`);
    return stack;
  }

  #resource(stackId: string, logicalId: string): StackResource | undefined {
    return this.#stack(stackId).resources[logicalId];
  }

  #save(stackId: string, resource: StackResource): void {
    const stack = this.#stack(stackId);
    this.#parts.store.save({ ...stack, resources: { ...stack.resources, [resource.logicalId]: resource } });
  }

  #show(
    stackId: string,
    resource: StackResource,
    status: string,
    more: { readonly reason?: string | undefined; readonly properties?: TemplateObject },
  ): void {
    const { reason } = more;
    this.#save(stackId, { ...resource, status, reason, updatedAt: this.#parts.clock() });
    this.#event(stackId, this.#stack(stackId).operation, resource, status, more);
  }

  #event(
    stackId: string,
    operation: StackOperation | undefined,
    { logicalId, type, made }: StackResource,
    status: string,
    { reason, properties }: { readonly reason?: string | undefined; readonly properties?: TemplateObject },
  ): void {
    const { name, shape } = this.#stack(stackId);
    const mask = makeMask(shape, ...(operation?.previous === undefined ? [] : [operation.previous.shape]));
    this.#parts.store.addEvent({
      stackId,
      stackName: name,
      logicalId,
      physicalId: made?.physicalId ?? '',
      type,
      status,
      at: this.#parts.clock(),
      ...(reason === undefined ? {} : { reason: mask(reason) }),
      ...(properties === undefined ? {} : { properties: mask(JSON.stringify(properties)) }),
      ...(operation?.clientToken === undefined ? {} : { clientToken: operation.clientToken }),
    });
  }
}

function tokenOf({ id, phase }: StackOperation, { logicalId }: StackResource): string {
  return createHash('sha256').update(`${id}/${phase}/${logicalId}`).digest('hex');
}

const BASE36 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Name as CloudFormation makes them: the parts are shortened alike until the whole fits. */
function makeName(stackName: string, logicalId: string, token: string, maxLength: number): string {
  const random = Array.from(createHash('sha256').update(`name/${token}`).digest().subarray(0, 12), (byte) =>
    BASE36.charAt(byte % BASE36.length),
  ).join('');
  const room = maxLength - random.length - 2;
  const half = Math.floor(room / 2);
  const first = stackName.slice(0, Math.max(half, room - logicalId.length));
  return `${first}-${logicalId.slice(0, room - first.length)}-${random}`;
}

/** Asserts that a type has the properties, and those that it needs are there. */
function assertProperties(
  registry: ResourceRegistry,
  logicalId: string,
  type: string,
  properties: TemplateObject,
): void {
  const provider = registry.get(type);
  const extra = isCustom(type)
    ? []
    : Object.keys(properties).filter((name) => !Object.hasOwn(provider.properties, name));
  const missing = provider.required.filter((name) => properties[name] === undefined);
  const problems = [
    ...extra.map((name) => `#: extraneous key [${name}] is not permitted`),
    ...missing.map((name) => `#: required key [${name}] not found`),
  ];
  if (problems.length === 0) return;
  throw validationError(
    `Properties validation failed for resource ${logicalId} with message:\n${problems.join('\n')}`,
  );
}
