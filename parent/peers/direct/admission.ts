import { MAX_ACCEPTED, MAX_GREETING, MAX_GREETING_PER_SOURCE } from './limits.ts';

/** Place of one accepted connection. */
export interface Place {
  /** Says that its owner is known. */
  greeted(): void;
  leave(): void;
}

/**
 * Bounds connections that others open: TLS and greetings of strangers are work, and so they wait for nobody. One address
 * cannot take the places of all others.
 */
export class Admission {
  readonly #greeting = new Map<string, number>();
  #accepted = 0;
  #strangers = 0;

  get size(): number {
    return this.#accepted;
  }

  /** Takes a place; undefined where none is free. */
  enter(source: string): Place | undefined {
    const fromThere = this.#greeting.get(source) ?? 0;
    if (this.#accepted >= MAX_ACCEPTED || this.#strangers >= MAX_GREETING) return undefined;
    if (fromThere >= MAX_GREETING_PER_SOURCE) return undefined;
    this.#accepted += 1;
    this.#strangers += 1;
    this.#greeting.set(source, fromThere + 1);
    let state: 'greeted' | 'greeting' | 'left' = 'greeting';
    const stopGreeting = () => {
      if (state !== 'greeting') return;
      this.#strangers -= 1;
      const left = (this.#greeting.get(source) ?? 1) - 1;
      if (left === 0) this.#greeting.delete(source);
      else this.#greeting.set(source, left);
    };
    return {
      greeted() {
        stopGreeting();
        if (state === 'greeting') state = 'greeted';
      },
      leave: () => {
        if (state === 'left') return;
        stopGreeting();
        state = 'left';
        this.#accepted -= 1;
      },
    };
  }
}
