/** A request that a page of another site made a browser send (403). Nothing of it was done. */
export class ForeignPageError extends Error {
  override readonly name = 'ForeignPageError';
  /** The header that shows it. */
  readonly field: 'Origin' | 'Sec-Fetch-Site';

  constructor(field: 'Origin' | 'Sec-Fetch-Site', message: string) {
    super(message);
    this.field = field;
  }
}

/** A request for a host that this server is not known by (421). Source: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20 */
export class MisdirectedError extends Error {
  override readonly name = 'MisdirectedError';
}
