/**
 * Stands in the image for the package of this name, which looks for credentials in the environment, in files, at the
 * instance's metadata service and with other programs. The node gets them from its parent and never asks for these.
 */
export function defaultProvider(): () => Promise<never> {
  return () => Promise.reject(new TypeError('there are no credentials but those that the parent gives'));
}
