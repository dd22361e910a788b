import { ConfigError } from '../config/error.ts';
import type { Settings } from '../config/settings.ts';
import { shown } from '../core/errors.ts';
import type { Memory } from '../core/memory.ts';
import type { TimeRules } from '../core/pulse.ts';
import { AllowedHosts } from '../http/browsers/hosts.ts';
import { ForeignPages } from '../http/browsers/pages.ts';
import { isScraperId, isUnexpanded } from '../http/identify.ts';
import type { PlaceLimits } from '../http/places.ts';
import { TrustedProxies } from '../http/proxies.ts';
import type { CounterRules } from '../counting/counters.ts';
import { METRIC_LABEL } from '../counting/counters.ts';
import type { ShowingRules } from '../delivery/showing.ts';

/* What settings mean to each room, in the room's own terms. */

/** Housekeeping that is late by this means that the process stood still (a machine that slept), or that the clock was set, in ms. */
const STANDSTILL_MS = 30_000;
/** The share of all connections that one client address may have where no setting says so. */
const CLIENT_SHARE = 4;
/** Idle connections outlive the scraper timeout by this, in ms. */
const KEEP_ALIVE_SLACK_MS = 30_000;

/** Throws a ConfigError for a known scraper that could never come. */
export function knownScrapers(settings: Settings): readonly string[] {
  const known = settings['scrapers.known'];
  const max = settings['scrapers.max'];
  if (known.length > max) {
    throw new ConfigError(
      `scrapers.known lists ${known.length} scrapers, but scrapers.max is ${max}; raise it, or list fewer`,
    );
  }
  const wrong = known.find((id) => !isScraperId(id));
  if (wrong !== undefined) {
    throw new ConfigError(
      `scrapers.known ${shown(wrong)} is not a scraper id; use 1 to 128 printable characters, and don't begin with sink:`,
    );
  }
  const variable = known.find((id) => isUnexpanded(id));
  if (variable !== undefined) {
    throw new ConfigError(
      `scrapers.known ${shown(variable)} contains an unexpanded variable; write the id itself`,
    );
  }
  return known;
}

export function trustedProxies(settings: Settings): TrustedProxies {
  try {
    return new TrustedProxies(settings['server.trustedProxies']);
  } catch (cause) {
    throw new ConfigError(`server.trustedProxies: ${(cause as Error).message}`, { cause });
  }
}

/** What pages in browsers may do. What else the machine is called is known once the server starts. */
export function browserRules(settings: Settings): { hosts: AllowedHosts; foreignPages: ForeignPages } {
  return {
    hosts: new AllowedHosts([settings['server.host'], ...settings['server.allowedHosts']]),
    foreignPages: new ForeignPages(settings['server.allowedOrigins']),
  };
}

export function serverLimits(settings: Settings) {
  return {
    urlBytesMax: settings['event.urlMax'],
    headTimeoutMs: settings['server.headTimeout'],
    requestTimeoutMs: settings['server.requestTimeout'],
    keepAliveMs: Math.max(settings['scrapers.timeout'], settings['scrape.lease']) + KEEP_ALIVE_SLACK_MS,
  };
}

/** Throws a ConfigError for a share that is more than the whole. */
export function placeLimits(settings: Settings): PlaceLimits {
  const { 'server.connectionsMax': max, 'server.connectionsPerClientMax': own } = settings;
  if (own > max)
    throw new ConfigError(
      `server.connectionsPerClientMax (${own}) is higher than server.connectionsMax (${max}); lower the first or raise the second`,
    );
  return { max, clientMax: own === 0 ? Math.max(1, Math.floor(max / CLIENT_SHARE)) : own };
}

export function timeRules(settings: Settings): TimeRules {
  return {
    pulseWidthMs: settings['pulse.width'],
    ageMaxMs: settings['event.ageMax'],
    aheadMaxMs: settings['event.aheadMax'],
  };
}

export function showingRules(settings: Settings): ShowingRules {
  return { collapse: settings['scrape.collapse'], ageMaxMs: settings['event.ageMax'] };
}

/** Throws a ConfigError for a label that the counters have anyway. */
export function counterRules(settings: Settings): CounterRules {
  const labels = settings['counters.labels'];
  if (labels.includes(METRIC_LABEL)) {
    throw new ConfigError(
      `counters.labels contains ${METRIC_LABEL}, which every counter has anyway, for the metric name; remove it`,
    );
  }
  return {
    labels,
    seriesMax: settings['counters.seriesMax'],
    countersBytesMax: settings['counters.bytesMax'],
  };
}

export function expiryLimits(settings: Settings) {
  return {
    leaseMs: settings['scrape.lease'],
    timeoutMs: settings['scrapers.timeout'],
    namedTimeoutMs: settings['scrapers.namedTimeout'],
    standstillMs: STANDSTILL_MS,
  };
}

/** A log in memory is trimmed before its share is taken up: what comes until then needs room. */
const TRIMMED_SHARE = 0.7;
/** What ids may take beside it, … */
const IDS_SHARE = 0.2;
/** … of which each costs so much, in bytes. An estimate. */
const ID_BYTES = 220;

export function trimLimits(settings: Settings, { log }: Memory) {
  const bytesMax = settings['store.bytesMax'];
  return {
    entriesMax: settings['store.entriesMax'],
    bytesMax: isInMemory(settings) ? Math.min(bytesMax, Math.floor(log.bytesMax * TRIMMED_SHARE)) : bytesMax,
    backlogMax: settings['scrapers.backlogMax'],
    retentionMinMs: settings['retention.min'],
  };
}

/** How many ids are remembered: in memory no more than there is room for. */
export function idsMaxOf(settings: Settings, { log }: Memory): number {
  const idsMax = settings['ids.max'];
  return isInMemory(settings) ? Math.min(idsMax, Math.floor((log.bytesMax * IDS_SHARE) / ID_BYTES)) : idsMax;
}

function isInMemory(settings: Settings): boolean {
  return settings['store.kind'] === 'memory';
}
