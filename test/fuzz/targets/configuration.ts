import { decide, preparePolicy, createPolicyState } from '../../../policy/index.ts';
import { type Configuration, parseConfiguration } from '../../../shared/documents/configuration.ts';
import { ConfigurationError } from '../../../shared/documents/errors.ts';
import { sampleConfigurations } from '../seeds.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

/** A node's configuration and what it permits: nothing to a client that it does not name. */
export const target: FuzzTarget = {
  maxBytes: 4096,
  seeds: sampleConfigurations,
  fuzz(data) {
    let configuration: Configuration;
    try {
      configuration = parseConfiguration(data);
    } catch (error) {
      if (error instanceof ConfigurationError) return;
      throw error;
    }
    const policy = preparePolicy(configuration);
    const state = createPolicyState(policy, 0);
    const key = configuration.keys[0]?.id ?? 'none';
    // No identifier has a space.
    const request = {
      operation: 'sign',
      payload: 'message',
      client: 'a stranger',
      key,
      algorithm: 'ed25519',
    } as const;
    assertThat(
      decide(policy, request, state, { now: 0, monotonic: 0 }).outcome === 'denied',
      'a stranger may sign',
    );
  },
};
