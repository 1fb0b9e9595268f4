/** Instance that runs command lines, as far as Systems Manager sees one. */
export interface ManagedHost {
  /** `i-` and 17 hex digits. */
  readonly instanceId: string;
  readonly accountId: string;
  readonly region: string;
  readonly address: string;
  /** False while nothing on the host answers. */
  readonly isUp: boolean;
  /** Runs one line as root. */
  run(
    line: string,
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly exit: number; readonly stdout: string; readonly stderr: string }>;
}

/** Instances that have registered with Systems Manager: the program fills the register, never a request. */
export class ManagedHosts {
  readonly #hosts = new Map<string, ManagedHost>();

  register(host: ManagedHost): void {
    this.#hosts.set(host.instanceId, host);
  }

  /** Forgets an instance that was terminated. */
  deregister(instanceId: string): void {
    this.#hosts.delete(instanceId);
  }

  /** Finds an instance of one account and Region. */
  find(
    instanceId: string,
    place: { readonly accountId: string; readonly region: string },
  ): ManagedHost | undefined {
    const host = this.#hosts.get(instanceId);
    return host !== undefined && host.accountId === place.accountId && host.region === place.region
      ? host
      : undefined;
  }

  /** Lists the instances of one account and Region, by id. */
  list(place: { readonly accountId: string; readonly region: string }): ManagedHost[] {
    return [...this.#hosts.values()]
      .filter(({ accountId, region }) => accountId === place.accountId && region === place.region)
      .toSorted((left, right) => (left.instanceId < right.instanceId ? -1 : 1));
  }
}
