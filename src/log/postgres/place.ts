/** Where a database is, and how it is reached. */
export interface PostgresPlace {
  /** One or more: tried in their order until one takes writes. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly tls: PostgresTls | undefined;
  /** The schema of the log's tables. */
  readonly schema: string;
}

export interface PostgresTls {
  /** Whether a server without TLS is taken as well. */
  readonly isOptional: boolean;
  /** Whether the server's certificate must come from a known authority, and name the host. */
  readonly checks: 'nothing' | 'authority' | 'authority and host';
  /** Files; each is read anew for every connection, since certificates are replaced. */
  readonly authorityFile: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
}
