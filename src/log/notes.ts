/** Short texts under keys, for what must outlive a process: counters, how far the clock was ahead. */
export interface Notes {
  /** The note that was last saved under a key; undefined where there is none. Rejects with a NoteLostError where there may have been one. */
  loadNote(key: string): Promise<string | undefined>;

  /**
   * Saves a short text under a key, in place of the one before; when it survives what, is as for a scraper's record (`ScraperRecords.saveScraper`).
   */
  saveNote(key: string, text: string): Promise<void>;
}

/** A note can't be read any more. */
export class NoteLostError extends Error {
  override readonly name = 'NoteLostError';
}
