/** Words for the system's most frequent errors, so that nobody has to look them up. */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the other side broke it off',
  EEXIST: 'there is something of that name already',
  EHOSTUNREACH: 'no way leads there',
  EISDIR: 'it is a folder',
  ENETUNREACH: 'no way leads there',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is no folder',
  ENOTFOUND: 'the name has no address',
  EPERM: 'this user may not',
  EPROTO: 'what answers does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what answers does not speak TLS',
  EROFS: 'the file system is read-only',
  ETIMEDOUT: 'no answer in time',
};

/** Code of an error of the system or of Node, never its message, which may quote its input. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^E[A-Z0-9_]{2,63}$/.test(error.code) ? error.code : undefined;
}

/** Words for a code, or the code again. */
export function wordsFor(code: string): string {
  return WORDS[code] ?? code;
}

/** Describes an error for the end of a sentence: words, and the code to search for. */
export function describeSystemError(error: unknown): string {
  const code = typeof error === 'string' ? error : systemCode(error);
  if (code === undefined) return 'unknown error';
  return WORDS[code] === undefined ? code : `${WORDS[code]} (${code})`;
}
