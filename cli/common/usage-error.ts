/** Usage error: the user's words do not fit, exit 2. Never for the contents of a file. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
