import { RefusedError, shown } from './errors.ts';
import type { EventLimits } from './limits.ts';
import { utf8Bytes } from './utf8.ts';

/** Prometheus' legacy charset: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels */
const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Names that every scrape already carries with Prometheus' own meaning: an event of that name would overwrite the target's
 * health. Source: https://prometheus.io/docs/concepts/jobs_instances/
 */
const SYNTHETIC = new Set([
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
  'scrape_timeout_seconds',
  'scrape_sample_limit',
  'scrape_body_size_bytes',
]);

/** Checks a metric's name; `reserved` tells the names of this server's own metrics. Throws a RefusedError. */
export function checkMetricName(
  field: string,
  name: string,
  limits: EventLimits,
  reserved: (name: string) => boolean,
): string {
  if (!METRIC_NAME.test(name)) {
    throw new RefusedError(
      field,
      `${field} ${shown(name)} is not a metric name; it must match ${METRIC_NAME.source}`,
    );
  }
  if (name.length > limits.labelNameBytesMax)
    throw tooLong(field, 'metric name', name, limits.labelNameBytesMax);
  if (SYNTHETIC.has(name)) {
    throw new RefusedError(
      field,
      `${field} ${shown(name)} is a metric that Prometheus itself adds to each scrape; choose another name`,
    );
  }
  if (reserved(name)) {
    throw new RefusedError(
      field,
      `${field} ${shown(name)} is one of this server's own metrics; choose another name`,
    );
  }
  return name;
}

/** A label's name as it will be stored: spaces become `_`. Throws a RefusedError for a name that Prometheus would refuse. */
export function labelName(raw: string, limits: EventLimits): string {
  if (raw.length > limits.labelNameBytesMax)
    throw tooLong(shortField(raw), 'label name', raw, limits.labelNameBytesMax);
  const name = raw.includes(' ') ? raw.replaceAll(' ', '_') : raw;
  if (!LABEL_NAME.test(name)) {
    throw new RefusedError(
      shortField(raw),
      `label name ${shown(raw)} is not valid; it must match ${LABEL_NAME.source} (a space is taken as _)`,
    );
  }
  if (name.startsWith('__')) {
    throw new RefusedError(
      shortField(raw),
      `label name ${shown(raw)} is not valid; names that begin with __ are Prometheus' own, and of them only __name__ is taken here`,
    );
  }
  return name;
}

/** Checks a label's value, which may be any Unicode text. Throws a RefusedError. */
export function checkLabelValue(name: string, value: string, limits: EventLimits): void {
  // UTF-8 has no form for it: written out, two different values would become one.
  if (!value.isWellFormed()) {
    throw new RefusedError(
      name,
      `value of label ${shown(name)} holds half of a surrogate pair; send whole Unicode characters`,
    );
  }
  if (utf8Bytes(value, limits.labelValueBytesMax) > limits.labelValueBytesMax) {
    throw tooLong(name, `value of label ${shown(name)}`, value, limits.labelValueBytesMax);
  }
}

function tooLong(field: string, what: string, text: string, bytesMax: number): RefusedError {
  return new RefusedError(
    field,
    `${what} ${shown(text)} is longer than ${bytesMax} bytes; shorten it or raise the limit`,
  );
}

function shortField(raw: string): string {
  return raw.length > 64 ? `${raw.slice(0, 64)}…` : raw;
}
