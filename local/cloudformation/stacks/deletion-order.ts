import type { StackResource } from './stack-record.ts';

/** Orders resources so that each comes before those that it depends on. */
export function deletionOrder(resources: readonly StackResource[]): StackResource[] {
  const left = [...resources];
  const order: StackResource[] = [];
  while (left.length > 0) {
    const free = left.findIndex(
      ({ logicalId }) =>
        !left.some((other) => other.logicalId !== logicalId && other.dependsOn.includes(logicalId)),
    );
    // Resources of two templates may wait for each other in a circle that neither template has.
    order.push(...left.splice(Math.max(free, 0), 1));
  }
  return order;
}
