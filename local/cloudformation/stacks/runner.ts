import { parseTemplate, type Template } from '../template/template.ts';
import { creationOrder, dependenciesOf } from '../template/check-template.ts';
import type { Scope } from '../template/functions.ts';
import { isSame } from '../template/value.ts';
import { isCustom } from '../resources/registry.ts';
import { compareProperties } from './differences.ts';
import { deletionOrder } from './deletion-order.ts';
import { Interrupted, reasonOf, ResourceFailure } from './failure.ts';
import { ResourceSteps, type StepParts } from './resource-steps.ts';
import type { Stack, StackOperation, StackResource } from './stack-record.ts';
import { evaluateOutputs, evaluateProperties, makeScope, wantedResources } from './template-scope.ts';

/** Carries out the operations of stacks, one at a time for each stack, and goes on with those that were cut off. */
export class StackRunner {
  readonly #parts: StepParts;
  readonly #steps: ResourceSteps;
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(parts: StepParts) {
    this.#parts = parts;
    this.#steps = new ResourceSteps(parts, this.#stopping.signal);
  }

  /** Goes on with all operations that an earlier process has begun. */
  resume(): void {
    for (const { id } of this.#parts.store.unfinished()) this.start(id);
  }

  /** Starts the operation that a stack has. */
  start(stackId: string): void {
    const run = this.#run(stackId).finally(() => this.#running.delete(stackId));
    this.#running.set(stackId, run);
  }

  /** Waits until no operation is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /** Stops after the steps that are under way; the next process goes on. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Interrupted());
    await this.settled();
  }

  async #run(stackId: string): Promise<void> {
    // The response to the request that began the operation goes out first.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      for (;;) {
        this.#assertRunning();
        const { operation } = this.#stack(stackId);
        if (operation === undefined) return;
        await this.#runPhase(stackId, operation);
      }
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    }
  }

  async #runPhase(stackId: string, operation: StackOperation): Promise<void> {
    switch (operation.phase) {
      case 'apply':
        return await this.#apply(stackId, operation);
      case 'cleanup':
        return await this.#cleanUp(stackId, operation);
      case 'rollback':
        return operation.kind === 'create'
          ? await this.#rollBackCreation(stackId, operation)
          : await this.#rollBackUpdate(stackId, operation);
      case 'rollback-cleanup':
        return await this.#cleanUpRollback(stackId, operation);
      case 'delete':
      default:
        return await this.#delete(stackId, operation);
    }
  }

  async #apply(stackId: string, operation: StackOperation): Promise<void> {
    try {
      const template = parseTemplate(this.#stack(stackId).shape.templateText);
      const scope = this.#scope(stackId, template);
      const wanted = wantedResources(template, scope);
      for (const id of creationOrder(template)) {
        this.#assertRunning();
        if (wanted.has(id)) await this.#settleResource(stackId, operation, template, scope, id);
      }
      const stack = this.#stack(stackId);
      const outputs = evaluateOutputs(template, scope);
      this.#parts.store.save({ ...stack, shape: { ...stack.shape, outputs } });
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      this.#fail(stackId, operation, error);
      return;
    }
    if (operation.kind === 'create') this.#end(stackId, 'CREATE_COMPLETE');
    else this.#enter(stackId, 'cleanup', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
  }

  async #settleResource(
    stackId: string,
    operation: StackOperation,
    template: Template,
    scope: Scope,
    id: string,
  ): Promise<void> {
    const declaration = template.resources.get(id);
    if (declaration === undefined) return;
    const known = this.#stack(stackId).resources[id];
    if (known?.settledBy === operation.id && known.pending === undefined) return;
    if (operation.deadline !== undefined && this.#parts.clock() > operation.deadline) {
      throw new ResourceFailure(id, 'Stack creation time exceeded the specified timeout.');
    }
    const { type, deletionPolicy, updateReplacePolicy } = declaration;
    const properties = this.#evaluate(template, id, scope);
    const dependsOn = dependenciesOf(template, id);
    const resource: StackResource = {
      logicalId: id,
      status: 'CREATE_IN_PROGRESS',
      updatedAt: this.#parts.clock(),
      properties,
      ...(known?.made === undefined ? {} : known),
      ...(known?.pending === undefined ? {} : { pending: known.pending }),
      type,
      dependsOn,
      deletionPolicy,
      updateReplacePolicy,
    };
    const action = this.#chooseAction(stackId, operation, resource, properties);
    if (action === undefined) this.#steps.keep(stackId, operation, resource);
    else await this.#steps.carryOut({ stackId, operation, resource, properties, action });
  }

  #evaluate(template: Template, id: string, scope: Scope): StackResource['properties'] {
    try {
      return evaluateProperties(template, id, scope);
    } catch (error) {
      throw new ResourceFailure(id, reasonOf(error), error);
    }
  }

  #chooseAction(
    stackId: string,
    operation: StackOperation,
    resource: StackResource,
    properties: StackResource['properties'],
  ): 'create' | 'update' | 'replace' | undefined {
    const { pending, made, type } = resource;
    if (made === undefined) return 'create';
    if (pending?.operation === operation.id && pending.action !== 'delete') return pending.action;
    const { registry } = this.#parts;
    const differences = compareProperties(registry, type, resource.properties, properties);
    if (differences.some(({ update }) => update === 'replacement')) return 'replace';
    if (differences.length > 0 || this.#hasNewTags(stackId, operation, type)) return 'update';
    return undefined;
  }

  #hasNewTags(stackId: string, { previous }: StackOperation, type: string): boolean {
    const { properties } = this.#parts.registry.get(type);
    if (previous === undefined || !Object.hasOwn(properties, 'Tags')) return false;
    return !isSame(previous.shape.tags, this.#stack(stackId).shape.tags);
  }

  #fail(stackId: string, operation: StackOperation, error: unknown): void {
    const reason =
      error instanceof ResourceFailure
        ? `The following resource(s) failed to ${operation.kind}: [${error.logicalId}].`
        : reasonOf(error);
    if (operation.kind === 'update') {
      if (this.#stack(stackId).disableRollback) this.#end(stackId, 'UPDATE_FAILED', reason);
      else this.#enter(stackId, 'rollback', 'UPDATE_ROLLBACK_IN_PROGRESS', reason);
    } else if (operation.onFailure === 'DO_NOTHING') this.#end(stackId, 'CREATE_FAILED', reason);
    else if (operation.onFailure === 'DELETE') this.#enter(stackId, 'delete', 'DELETE_IN_PROGRESS', reason);
    else {
      this.#enter(stackId, 'rollback', 'ROLLBACK_IN_PROGRESS', `${reason} Rollback requested by user.`);
    }
  }

  async #cleanUp(stackId: string, operation: StackOperation): Promise<void> {
    const stack = this.#stack(stackId);
    const left = Object.values(stack.resources).filter(({ settledBy }) => settledBy !== operation.id);
    await this.#removeObsolete(stackId, operation);
    for (const resource of deletionOrder(left)) {
      this.#assertRunning();
      const retain = resource.deletionPolicy !== 'Delete';
      await this.#steps.remove(stackId, operation, resource, { retain, isListed: true });
      this.#forget(stackId, resource.logicalId);
    }
    this.#end(stackId, 'UPDATE_COMPLETE');
  }

  /** Deletes what was replaced. What cannot be deleted stays, as with AWS, and an event says so. */
  async #removeObsolete(stackId: string, { id }: StackOperation): Promise<void> {
    for (;;) {
      this.#assertRunning();
      const stack = this.#stack(stackId);
      const { operation } = stack;
      const [resource, ...rest] = operation?.obsolete ?? [];
      if (resource === undefined || operation?.id !== id) return;
      const retain = resource.updateReplacePolicy !== 'Delete';
      await this.#steps.remove(stackId, operation, resource, { retain, isListed: false });
      const now = this.#stack(stackId);
      this.#parts.store.save({ ...now, operation: { ...operation, obsolete: rest } });
    }
  }

  async #rollBackCreation(stackId: string, operation: StackOperation): Promise<void> {
    const failed = await this.#removeAll(stackId, operation, ({ deletionPolicy }) =>
      ['Retain', 'Snapshot'].includes(deletionPolicy),
    );
    if (failed.length === 0) this.#end(stackId, 'ROLLBACK_COMPLETE');
    else {
      const reason = `The following resource(s) failed to delete: [${failed.join(', ')}].`;
      this.#end(stackId, 'ROLLBACK_FAILED', reason);
    }
  }

  async #delete(stackId: string, operation: StackOperation): Promise<void> {
    const failed = await this.#removeAll(
      stackId,
      operation,
      ({ deletionPolicy, logicalId }) =>
        (deletionPolicy === 'RetainExceptOnCreate'
          ? operation.kind !== 'create'
          : deletionPolicy !== 'Delete') || operation.retained.includes(logicalId),
    );
    if (failed.length > 0) {
      const reason = `The following resource(s) failed to delete: [${failed.join(', ')}]. `;
      this.#end(stackId, 'DELETE_FAILED', reason);
      return;
    }
    const stack = this.#stack(stackId);
    this.#parts.store.save({ ...stack, deletedAt: this.#parts.clock() });
    this.#end(stackId, 'DELETE_COMPLETE');
  }

  async #removeAll(
    stackId: string,
    operation: StackOperation,
    isRetained: (resource: StackResource) => boolean,
  ): Promise<string[]> {
    const failed: string[] = [];
    const isOver = ({ status }: StackResource): boolean =>
      status === 'DELETE_COMPLETE' || status === 'DELETE_SKIPPED';
    const resources = Object.values(this.#stack(stackId).resources).filter((resource) => !isOver(resource));
    for (const resource of deletionOrder(resources)) {
      this.#assertRunning();
      const isNeeded = Object.values(this.#stack(stackId).resources).some(
        (other) => failed.includes(other.logicalId) && other.dependsOn.includes(resource.logicalId),
      );
      if (isNeeded) continue;
      const retain = isRetained(resource);
      const isGone = await this.#steps.remove(stackId, operation, resource, { retain, isListed: true });
      if (!isGone) failed.push(resource.logicalId);
    }
    return failed;
  }

  async #rollBackUpdate(stackId: string, operation: StackOperation): Promise<void> {
    const before = operation.previous?.resources ?? {};
    const current = Object.values(this.#stack(stackId).resources);
    try {
      for (const resource of deletionOrder(current)) {
        this.#assertRunning();
        const old = before[resource.logicalId];
        if (old !== undefined) await this.#restore(stackId, operation, resource, old);
      }
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      const { operation: interrupted, ...failed } = this.#stack(stackId);
      this.#end(stackId, 'UPDATE_ROLLBACK_FAILED', reasonOf(error));
      this.#parts.store.save({ ...failed, ...this.#stack(stackId), interrupted });
      return;
    }
    const stack = this.#stack(stackId);
    if (operation.previous !== undefined)
      this.#parts.store.save({ ...stack, shape: operation.previous.shape });
    this.#enter(stackId, 'rollback-cleanup', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
  }

  /**
   * Brings one resource back to what it was before the update. What replaced it is deleted at the end; of a custom
   * resource its function is told, and decides which of both it is from now on.
   */
  async #restore(
    stackId: string,
    operation: StackOperation,
    resource: StackResource,
    old: StackResource,
  ): Promise<void> {
    const undoing = { ...operation, id: `${operation.id}/rollback` };
    const { pending, made, type } = resource;
    const wasTouched = resource.settledBy === operation.id || pending !== undefined;
    if (resource.settledBy === undoing.id || !wasTouched) return;
    const isUnchanged =
      pending === undefined && isSame(resource.properties, old.properties) && isSame(made, old.made);
    if (isUnchanged && !this.#hasNewTags(stackId, operation, type)) {
      this.#steps.keep(stackId, undoing, old);
      return;
    }
    const failedUpdate =
      pending?.operation === operation.id && pending.action === 'update' ? pending : undefined;
    const from = failedUpdate?.properties ?? resource.properties;
    const isReplaced = made !== undefined && made.physicalId !== old.made?.physicalId;
    if (isReplaced && !isCustom(type))
      this.#takeBack(stackId, { ...resource, updateReplacePolicy: 'Delete' }, old);
    const wasReplacing = pending?.operation === operation.id && pending.action !== 'update';
    if ((isReplaced && !isCustom(type)) || wasReplacing || old.made === undefined) {
      this.#steps.keep(stackId, undoing, old);
      return;
    }
    await this.#steps.carryOut({
      stackId,
      operation: undoing,
      resource: {
        ...old,
        properties: from,
        ...(made === undefined ? {} : { made }),
        ...(pending?.operation === undoing.id ? { pending } : {}),
      },
      properties: old.properties,
      action: 'update',
    });
    this.#spare(stackId, resource.logicalId);
  }

  /** Puts what replaced a resource on the list of what is deleted, and takes the resource itself off it. */
  #takeBack(stackId: string, replacement: StackResource, old: StackResource): void {
    const stack = this.#stack(stackId);
    if (stack.operation === undefined) return;
    const { operation } = stack;
    const rest = operation.obsolete.filter(({ made }) => made?.physicalId !== old.made?.physicalId);
    this.#parts.store.save({ ...stack, operation: { ...operation, obsolete: [...rest, replacement] } });
  }

  /** Takes off the list of what is deleted what a resource is now. */
  #spare(stackId: string, logicalId: string): void {
    const stack = this.#stack(stackId);
    const current = stack.resources[logicalId]?.made?.physicalId;
    if (stack.operation === undefined) return;
    const { operation } = stack;
    const obsolete = operation.obsolete.filter(
      (entry) => entry.logicalId !== logicalId || entry.made?.physicalId !== current,
    );
    this.#parts.store.save({ ...stack, operation: { ...operation, obsolete } });
  }

  async #cleanUpRollback(stackId: string, operation: StackOperation): Promise<void> {
    const before = operation.previous?.resources ?? {};
    await this.#removeObsolete(stackId, operation);
    const made = Object.values(this.#stack(stackId).resources).filter(
      ({ logicalId }) => before[logicalId] === undefined,
    );
    for (const resource of deletionOrder(made)) {
      this.#assertRunning();
      const retain = ['Retain', 'Snapshot'].includes(resource.deletionPolicy);
      await this.#steps.remove(stackId, operation, resource, { retain, isListed: true });
      this.#forget(stackId, resource.logicalId);
    }
    this.#end(stackId, 'UPDATE_ROLLBACK_COMPLETE');
  }

  #scope(stackId: string, template: Template): Scope {
    const { accountId, region, name, shape } = this.#stack(stackId);
    const resource = (id: string): StackResource | undefined => this.#stack(stackId).resources[id];
    return makeScope({
      template,
      place: { accountId, region, stackId, stackName: name },
      parameters: shape.parameters,
      values: {
        reference: (id) => resource(id)?.made?.reference,
        attribute: (id, attribute) => resource(id)?.made?.attributes[attribute],
        exported: (wanted) =>
          this.#parts.store
            .list({ accountId, region })
            .filter(({ status }) => status !== 'DELETE_COMPLETE')
            .flatMap((stack) => stack.shape.outputs)
            .find(({ exportName }) => exportName === wanted)?.value,
      },
    });
  }

  #enter(stackId: string, phase: StackOperation['phase'], status: string, reason?: string): void {
    const { operation, ...stack } = this.#stack(stackId);
    if (operation === undefined) throw new TypeError('expected an operation under way');
    this.#parts.store.save({ ...stack, status, reason, operation: { ...operation, phase } });
    this.showStack(stackId, reason);
  }

  #end(stackId: string, status: string, reason?: string): void {
    const { operation, ...stack } = this.#stack(stackId);
    const token = operation?.clientToken;
    this.#parts.store.save({ ...stack, status, reason });
    this.showStack(stackId, reason, token);
  }

  /** Adds an event of the stack itself, with the status that it has. */
  showStack(stackId: string, reason?: string, token?: string): void {
    const { name, status, operation } = this.#stack(stackId);
    const clientToken = token ?? operation?.clientToken;
    this.#parts.store.addEvent({
      stackId,
      stackName: name,
      logicalId: name,
      physicalId: stackId,
      type: 'AWS::CloudFormation::Stack',
      status,
      at: this.#parts.clock(),
      ...(reason === undefined ? {} : { reason }),
      ...(clientToken === undefined ? {} : { clientToken }),
    });
  }

  #forget(stackId: string, logicalId: string): void {
    const stack = this.#stack(stackId);
    const resources = Object.entries(stack.resources).filter(([id]) => id !== logicalId);
    this.#parts.store.save({ ...stack, resources: Object.fromEntries(resources) });
  }

  #stack(stackId: string): Stack {
    const stack = this.#parts.store.get(stackId);
    if (stack === undefined) throw new TypeError(`expected a stack with the id ${stackId}`);
    return stack;
  }

  #assertRunning(): void {
    this.#stopping.signal.throwIfAborted();
  }
}
