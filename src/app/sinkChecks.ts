import type { Settings } from '../config/settings.ts';
import { sinkOptions } from './sinkOptions.ts';
import { selectOf } from './sinks.ts';

/** Looks for what can be known to fail of the sinks before they start. Throws a ConfigError. */
export async function checkSinks(settings: Settings): Promise<void> {
  for (const options of sinkOptions(settings)) await selectOf(options);
}
