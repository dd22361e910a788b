/** Loaded when a log in PostgreSQL starts, and never otherwise. */
export { default as Client } from 'pg/lib/client.js';
