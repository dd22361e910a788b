/** What an event may measure. Every limit is a setting (`event.*`); the defaults stand in `config/eventSettings.ts`. */
export interface EventLimits {
  readonly labelsMax: number;
  /** Of a label's name and of a metric's name, in bytes of UTF-8. */
  readonly labelNameBytesMax: number;
  /** In bytes of UTF-8. */
  readonly labelValueBytesMax: number;
  /** Of a series' text, as the log and a scrape have it, in bytes of UTF-8; at most `HASHED_UNITS_MAX`. */
  readonly seriesBytesMax: number;
  /** Of an event's id, in bytes of UTF-8. */
  readonly idBytesMax: number;
}

/** What one scrape may carry. The first entry always fits, so that no single event can jam a scraper. */
export interface PageLimits {
  readonly eventsMax: number;
  /** Of the rendered series, before compression. */
  readonly bytesMax: number;
}

/** What the log may hold before its oldest entries must go. */
export interface LogLimits {
  readonly entriesMax: number;
  readonly bytesMax: number;
}
