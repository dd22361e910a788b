/** What went wrong on the way to a receiver, and what helps; undefined where nobody knows. */
export interface Failure {
  readonly what: string;
  readonly remedy: string | undefined;
}

const CA = "set tls.caFile to the file with the CA that signed the receiver's certificate";
const CLIENT = 'the receiver wants a client certificate that it knows: set tls.certFile and tls.keyFile';

/** By Node's codes: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const BY_CODE: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CA,
  SELF_SIGNED_CERT_IN_CHAIN: CA,
  CERT_UNTRUSTED: CA,
  CERT_SIGNATURE_FAILURE: CA,
  DEPTH_ZERO_SELF_SIGNED_CERT: "set tls.caFile to the file with the receiver's certificate",
  CERT_HAS_EXPIRED: "renew the receiver's certificate",
  CERT_NOT_YET_VALID: "check the clocks, and the receiver's certificate",
  ERR_TLS_CERT_ALTNAME_INVALID: 'correct the url, or set tls.serverName to a name in the certificate',
};

/** By OpenSSL's reasons, of which some come under the code EPROTO. */
const BY_REASON: readonly (readonly [reason: RegExp, remedy: string])[] = [
  [/wrong version number|packet length too long/, 'if the receiver speaks http, begin the url with http:'],
  [/alert certificate required|alert handshake failure|alert bad certificate|alert unknown ca/, CLIENT],
];

/** OpenSSL tells where in its source it was, too. */
const OPENSSL = /(?:^|.* )[0-9A-F]+:error:[0-9A-F]+:SSL routines:[^:]*:([^:]+):/s;
/** Node's own advice, which is for who runs Node. */
const ADVICE = /; if the root CA is installed locally.*/s;

export function failureOf(error: Error): Failure {
  const reason = OPENSSL.exec(error.message)?.[1];
  const what = reason === undefined ? error.message.replace(ADVICE, '') : `TLS failed: ${reason}`;
  const byReason = reason === undefined ? undefined : BY_REASON.find(([pattern]) => pattern.test(reason));
  return { what, remedy: byReason?.[1] ?? BY_CODE[(error as NodeJS.ErrnoException).code ?? ''] };
}
