import { ConfigError } from '../config/error.ts';
import type { Settings } from '../config/settings.ts';
import { shown } from '../core/errors.ts';
import type { EventRules } from '../intake/rules.ts';
import { checkMetricName, labelName } from '../core/labels.ts';
import type { BodyRules } from '../http/eventBody.ts';
import type { SeriesRules } from '../intake/seriesCap.ts';
import { parseDataMapping } from '../read/dataMapping.ts';
import { PlainReader } from '../read/plainReader.ts';

/** What an event may be. Throws a ConfigError for an `event.metric` that no event may have. */
export function eventRules(settings: Settings, reserved: (metric: string) => boolean): EventRules {
  const limits = {
    labelsMax: settings['event.labelsMax'],
    labelNameBytesMax: settings['event.labelNameMax'],
    labelValueBytesMax: settings['event.labelValueMax'],
    seriesBytesMax: settings['event.seriesMax'],
    idBytesMax: settings['event.idMax'],
  };
  const metric = settings['event.metric'];
  const names = settings['event.names'];
  try {
    checkMetricName('event.metric', metric, limits, reserved, names);
  } catch (cause) {
    throw new ConfigError((cause as Error).message, { cause });
  }
  const labels = {
    drop: new Set(settings['labels.drop']),
    keep: new Set(settings['labels.keep']),
    valueBytesKept: settings['labels.valueTruncate'],
  };
  return { metric, limits, names, reserved, labels };
}

/** How many series may begin in an hour. */
export function seriesRules(settings: Settings): SeriesRules {
  return {
    perHourMax: settings['series.perHourMax'],
    overflow: settings['series.overflow'],
    metric: settings['event.metric'],
  };
}

/** How a body is read. Throws a ConfigError for a mapping to a label that a CloudEvent has anyway, or that no event may have. */
export function bodyRules(settings: Settings, { limits, names }: EventRules): BodyRules {
  const cloudEventData = settings['cloudevents.data'].map((text) => {
    const mapping = parseDataMapping(text);
    const name = mapping?.name ?? '';
    if (mapping === undefined || ['type', 'source', 'subject'].includes(name)) {
      throw new ConfigError(
        `cloudevents.data ${shown(text)} is not valid; write label=/json/pointer, with a label name other than type, source and subject`,
      );
    }
    try {
      return { ...mapping, name: labelName(name, limits, names) };
    } catch (cause) {
      throw new ConfigError(`cloudevents.data: ${(cause as Error).message}`, { cause });
    }
  });
  return {
    pairsMax: limits.labelsMax * 2 + 4,
    stream: { lineBytesMax: settings['event.bodyMax'], bytesMax: settings['batch.bytesMax'] },
    cloudEventData,
    plain: new PlainReader(),
  };
}
