/** The client alone: the package's own entry would bring its pool, and look for a native one. */
declare module 'pg/lib/client.js' {
  import type { Client } from 'pg';

  const client: typeof Client;
  export default client;
}
