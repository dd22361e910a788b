import type { Millis } from './millis.ts';
import { millis } from './millis.ts';

/** What a final time depends on. Spans are in ms. */
export interface TimeRules {
  /** How long a timed event stays visible to an instant query. */
  readonly pulseWidthMs: number;
  /** How far before its arrival a sender's time may lie. */
  readonly ageMaxMs: number;
  /** How far beyond its arrival a sender's time may lie. */
  readonly aheadMaxMs: number;
}

/** What is known of a series' latest pulse. */
export interface Pulse {
  /** The latest event's time. */
  readonly time: Millis;
  /** Whether its end marker stands in the log; it may have been delivered then, and nothing may come at or before it. */
  readonly ended: boolean;
}

/** Where the end marker of a pulse stands. Source: prometheus-facts, measured: visible up to, and gone at, this moment. */
export function pulseEnd(time: Millis, { pulseWidthMs }: TimeRules): Millis {
  return millis(time + pulseWidthMs);
}

/**
 * An event's final time: its sender's, kept within limits, else its arrival; strictly above the series' latest event, and above that
 * one's end marker if it stands. `floor`: the latest time that a series may have which is not known any more.
 */
export function finalTime(
  arrived: Millis,
  sent: Millis | undefined,
  latest: Pulse | undefined,
  floor: Millis,
  rules: TimeRules,
): Millis {
  const wished = sent ?? arrived;
  const kept = Math.min(Math.max(wished, arrived - rules.ageMaxMs), arrived + rules.aheadMaxMs);
  const above = latest === undefined ? floor : latest.ended ? pulseEnd(latest.time, rules) : latest.time;
  return millis(Math.max(kept, above + 1));
}

/** Whether an event at `time` comes when the pulse is over already, so that its end has to stand before the event. */
export function isOver(latest: Pulse, time: Millis, rules: TimeRules): boolean {
  return !latest.ended && time > pulseEnd(latest.time, rules);
}
