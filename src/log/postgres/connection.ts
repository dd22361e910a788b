import { readFile } from 'node:fs/promises';
import type { Client, QueryResult } from 'pg';
import { NotSentError } from './pgError.ts';
import type { PostgresPlace, PostgresTls } from './place.ts';

/** What is sent, and its values: texts, numbers, lists of them, and bytes. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export type Row = readonly unknown[];

const CONNECT_MS_MAX = 5_000;
/** A server that says nothing for so long is taken for gone. */
const ANSWER_MS_MAX = 15_000;
const KEEP_ALIVE_MS = 10_000;
/** The driver's word for a server without TLS. */
const NO_TLS = 'The server does not support SSL connections';

/** A connection whose statements follow each other. Once one of them found it broken, all others do. */
export class Connection {
  readonly #client: Client;
  #last: Promise<unknown> = Promise.resolve();
  #isBroken = false;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Connects to the first of the hosts that takes writes. Rejects with the error of the first that can't be used. */
  static async open(place: PostgresPlace): Promise<Connection> {
    let failed: unknown;
    for (const { host, port } of place.hosts) {
      try {
        const connection = await Connection.#openOne(place, host, port);
        if (place.hosts.length === 1 || (await connection.#takesWrites())) return connection;
        connection.close();
        throw new Error(`${host}:${port} is a standby`);
      } catch (error) {
        failed ??= error;
      }
    }
    throw failed;
  }

  static async #openOne(place: PostgresPlace, host: string, port: number): Promise<Connection> {
    // A socket of this machine needs none.
    const tls = host.startsWith('/') ? undefined : place.tls;
    try {
      return await Connection.#openWith(place, host, port, tls);
    } catch (error) {
      if (tls?.isOptional !== true || (error as Error).message !== NO_TLS) throw error;
      return Connection.#openWith(place, host, port, undefined);
    }
  }

  static async #openWith(
    { database, user, password }: PostgresPlace,
    host: string,
    port: number,
    tls: PostgresTls | undefined,
  ): Promise<Connection> {
    const { Client } = await import('./driver.ts');
    const client = new Client({
      host,
      port,
      database,
      user,
      // Where there is none, the driver would look for a file.
      password: () => password ?? '',
      ssl: tls === undefined ? false : await tlsOptions(tls),
      application_name: 'oneShotMetricsServer',
      connectionTimeoutMillis: CONNECT_MS_MAX,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      // Not the driver's own: the result of a statement that timed out is taken for that of the next.
    });
    const connection = new Connection(client);
    // Without a listener, an error between two statements would end the process.
    client.on('error', () => connection.#break());
    client.on('end', () => connection.#break());
    try {
      await client.connect();
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Runs a statement once those before it are done. */
  query(statement: Statement): Promise<readonly Row[]> {
    const rows = this.#last.then(() => this.#run(statement));
    this.#last = rows.catch(() => undefined);
    return rows;
  }

  /** Runs statements without values, one after the other. All of them are one transaction, unless they begin others. Returns the rows of the last. */
  script(text: string): Promise<readonly Row[]> {
    return this.query({ text, values: [] });
  }

  /** Ends it at once; what is under way rejects. */
  close(): void {
    this.#break();
  }

  async #run({ text, values }: Statement): Promise<readonly Row[]> {
    if (this.#isBroken) throw new NotSentError('the connection to the database ended');
    const timer = setTimeout(() => this.#break(`no answer for ${ANSWER_MS_MAX / 1000} s`), ANSWER_MS_MAX);
    try {
      const query = { text, rowMode: 'array' as const, values: values as unknown[] };
      const result = await this.#client.query<unknown[]>(query);
      // Of several statements, all.
      const results = result as QueryResult<unknown[]> | readonly QueryResult<unknown[]>[];
      return (Array.isArray(results) ? results.at(-1) : results).rows as readonly Row[];
    } finally {
      clearTimeout(timer);
    }
  }

  async #takesWrites(): Promise<boolean> {
    const [[readOnly] = []] = await this.script('SHOW transaction_read_only');
    return readOnly !== 'on';
  }

  #break(why = 'the connection to the database ended'): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    // To end it politely would wait for what is under way.
    (
      this.#client as unknown as { connection: { stream: { destroy(error?: Error): void } } }
    ).connection.stream.destroy(new Error(why));
  }
}

async function tlsOptions({ checks, authorityFile, certificateFile, keyFile }: PostgresTls): Promise<object> {
  const read = (file: string | undefined) => (file === undefined ? undefined : readFile(file, 'utf8'));
  const [ca, cert, key] = await Promise.all([read(authorityFile), read(certificateFile), read(keyFile)]);
  return {
    rejectUnauthorized: checks !== 'nothing',
    ...(checks === 'authority' && { checkServerIdentity: () => undefined }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}
