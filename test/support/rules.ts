import type { EventLimits } from '../../src/core/limits.ts';
import type { EventRules } from '../../src/intake/rules.ts';

/** Limits that are not what a test is about: as wide as they may be set. */
export const WIDE_LIMITS: EventLimits = {
  labelsMax: 64,
  labelNameBytesMax: 256,
  labelValueBytesMax: 4096,
  seriesBytesMax: 8192,
  idBytesMax: 256,
};

export const WIDE_RULES: EventRules = {
  metric: 'events',
  names: 'legacy',
  limits: WIDE_LIMITS,
  reserved: () => false,
};
