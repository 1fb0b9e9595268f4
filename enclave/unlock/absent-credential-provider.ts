/**
 * Replaces @aws-sdk/credential-provider-node in the image. That package looks for credentials in the environment, in
 * files, at the instance's metadata service and with other programs; a node gets them from its parent alone.
 */
export function defaultProvider(): () => Promise<never> {
  return () => Promise.reject(new TypeError('credentials come from the parent alone'));
}
