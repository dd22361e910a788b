import type { RequestListener, ServerOptions } from 'node:http';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { TlsState } from '../access/tlsState.ts';
import { admitsClient } from './auth/clientCertificate.ts';

/** Where new connections get their certificate from. */
export interface TlsSource {
  /** What is in force now; undefined where there is no TLS, from the start to the end. */
  readonly tls: TlsState | undefined;
  onTlsChange(listener: () => void): void;
}

/** Node reads it at each handshake, and has no other way to change it; `test/http/tls.test.ts` holds that it does. */
type Asking = Server & { requestCert: boolean };

/**
 * An HTTPS server. HTTP/1.1 is all that it offers. When the files change, new connections get what they say; those that are open stay as
 * they are.
 */
export function createTlsServer(
  options: ServerOptions,
  handshakeMs: number,
  source: TlsSource,
  handler: RequestListener,
): Server {
  const current = () => {
    if (source.tls === undefined) throw new Error('TLS was turned off');
    return source.tls;
  };
  const server = createServer(
    {
      ...options,
      ...current().context,
      // As plain servers have it.
      allowHalfOpen: true,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: handshakeMs,
      requestCert: current().clientAuth !== 'none',
      // Who may stay is decided below, since Node itself knows only two of the five policies.
      rejectUnauthorized: false,
    },
    handler,
  ) as Asking;
  source.onTlsChange(() => {
    server.setSecureContext(current().context);
    server.requestCert = current().clientAuth !== 'none';
  });
  // Before HTTP is spoken: the server's own listener for it comes after this one.
  server.prependListener('secureConnection', (socket) => {
    if (!admitsClient(current(), certificateOf(socket))) socket.destroy();
  });
  return server;
}

function certificateOf(socket: TLSSocket) {
  const certificate = socket.getPeerX509Certificate();
  return {
    sent: certificate !== undefined,
    verified: socket.authorized,
    subjectAltName: certificate?.subjectAltName ?? '',
  };
}
