/** Name and password for a registry, or a token of an identity. */
export type RegistryCredentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity-token'; readonly token: string };

/** Gives credentials for a registry (`host` or `host:port`), or undefined: then it is asked anonymously. */
export type FindRegistryCredentials = (registry: string) => Promise<RegistryCredentials | undefined>;
