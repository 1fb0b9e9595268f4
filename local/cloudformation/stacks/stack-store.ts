import { randomUUID } from 'node:crypto';
import type { StateStore } from '../../aws/plumbing.ts';
import {
  changeSetSchema,
  eventSchema,
  stackSchema,
  type ChangeSet,
  type Stack,
  type StackEvent,
} from './stack-record.ts';

/** Account and Region. */
export interface Place {
  readonly accountId: string;
  readonly region: string;
}

/** Stacks, their events and change sets of all accounts and Regions, kept in the state store. */
export class StackStore {
  readonly #state: StateStore;
  readonly #stacks = new Map<string, Stack>();
  readonly #changeSets = new Map<string, ChangeSet>();
  readonly #events = new Map<string, StackEvent[]>();

  constructor(state: StateStore) {
    this.#state = state;
    for (const { value } of state.list('cloudformation-stack')) {
      const stack = stackSchema.parse(value);
      this.#stacks.set(stack.id, stack);
    }
    for (const { value } of state.list('cloudformation-change-set')) {
      const changeSet = changeSetSchema.parse(value);
      this.#changeSets.set(changeSet.id, changeSet);
    }
    for (const { value } of state.list('cloudformation-event')) this.#remember(eventSchema.parse(value));
  }

  /** Saves a stack as it is now; durable when it returns. */
  save(stack: Stack): Stack {
    this.#state.put('cloudformation-stack', stack.id, stack);
    this.#stacks.set(stack.id, stack);
    return stack;
  }

  get(id: string): Stack | undefined {
    return this.#stacks.get(id);
  }

  /** Finds a stack by its ARN, deleted ones too, or by its name among those that were not deleted. */
  find({ accountId, region }: Place, nameOrId: string): Stack | undefined {
    return this.list({ accountId, region }).find(
      ({ id, name, status }) => id === nameOrId || (name === nameOrId && status !== 'DELETE_COMPLETE'),
    );
  }

  /** Lists the stacks of a place, newest first. */
  list({ accountId, region }: Place): Stack[] {
    return [...this.#stacks.values()]
      .filter((stack) => stack.accountId === accountId && stack.region === region)
      .sort((a, b) => b.createdAt - a.createdAt);
  }

  /** Stacks whose operation was cut off. */
  unfinished(): Stack[] {
    return [...this.#stacks.values()].filter(({ operation }) => operation !== undefined);
  }

  /** Forgets a stack that never was more than under review. */
  forget(id: string): void {
    this.#state.delete('cloudformation-stack', id);
    this.#stacks.delete(id);
  }

  addEvent(event: Omit<StackEvent, 'id'>): void {
    const number = (this.#events.get(event.stackId)?.length ?? 0) + 1;
    const whole = { ...event, id: randomUUID() };
    this.#state.put('cloudformation-event', `${event.stackId}/${String(number).padStart(9, '0')}`, whole);
    this.#remember(whole);
  }

  /** Lists a stack's events, newest first. */
  events(stackId: string): StackEvent[] {
    return [...(this.#events.get(stackId) ?? [])].reverse();
  }

  saveChangeSet(changeSet: ChangeSet): ChangeSet {
    this.#state.put('cloudformation-change-set', changeSet.id, changeSet);
    this.#changeSets.set(changeSet.id, changeSet);
    return changeSet;
  }

  deleteChangeSet(id: string): void {
    this.#state.delete('cloudformation-change-set', id);
    this.#changeSets.delete(id);
  }

  /** Lists a stack's change sets, oldest first. */
  changeSets(stackId: string): ChangeSet[] {
    return [...this.#changeSets.values()]
      .filter((changeSet) => changeSet.stackId === stackId)
      .sort((a, b) => a.createdAt - b.createdAt);
  }

  #remember(event: StackEvent): void {
    const list = this.#events.get(event.stackId);
    if (list === undefined) this.#events.set(event.stackId, [event]);
    else list.push(event);
  }
}
