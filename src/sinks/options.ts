import type { Selector } from './selector.ts';

/** Which messages a receiver is sent: those of remote write 2.0, of 1.0, or of whichever it understands. */
export type Protocol = 'remote-write-2' | 'remote-write-1' | 'auto';

/** A sink as it is configured, with its secrets read. */
export interface SinkOptions {
  readonly name: string;
  readonly url: URL;
  readonly protocol: Protocol;
  /** Sent with each request, beside those of the protocol. Their names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials: Credentials | undefined;
  readonly tls: SinkTls;
  /** How long a request may take, from its connection to the end of its answer, in ms. */
  readonly timeoutMs: number;
  /** Added to each series that has no such label itself. */
  readonly labels: Readonly<Record<string, string>>;
  /** Events older than this are moved up to it, in ms: what the receiver takes. */
  readonly ageMaxMs: number;
  /** Entries in one request. */
  readonly eventsMax: number;
  /** Which series it gets; undefined for all. */
  readonly select: SelectOptions | undefined;
  /** That it gets the server's own metrics, too. */
  readonly ownMetrics: OwnMetricsOptions | undefined;
}

export interface OwnMetricsOptions {
  readonly intervalMs: number;
  /** Added to each of them, before those of the sink. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A series is selected if one of the selectors matches it. */
export interface SelectOptions {
  /** The same for those that select the same. */
  readonly key: string;
  /** The selectors as they are configured. */
  readonly texts: readonly string[];
  readonly selectors: readonly Selector[];
}

export type Credentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** Read for each request, since tokens are exchanged. */
  | { readonly kind: 'bearerFile'; readonly path: string };

/** Files are read at the first request, and again after each one that got no answer, since certificates are exchanged. */
export interface SinkTls {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** The name that the receiver's certificate must have, if not the URL's. */
  readonly serverName: string | undefined;
  readonly insecureSkipVerify: boolean;
}
