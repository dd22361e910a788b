import type { Monotonic } from '../core/millis.ts';
import type { AccessNews } from '../access/reloadingFile.ts';
import type { CloseNews, CloseReason } from '../http/closings.ts';
import type { ServerNews } from '../http/server.ts';
import type { ScraperNews } from '../delivery/scrapers.ts';
import type { Damage, Part, Repair, StoreListener, StoreNews, StoreWorth } from '../log/log.ts';
import type { SinkNews } from '../sinks/sinkState.ts';
import type { Logger } from './logger.ts';
import { Throttle } from './throttle.ts';

/** Lines about refused requests and the like, which others can cause at will: so many a window, its length in ms. */
const LINES_MAX = 20;
const WINDOW_MS = 10_000;

/** How often a line tells of connections that are closed for one reason, in ms. */
const CLOSED_WINDOW_MS = 60_000;

const CLOSED: Record<CloseReason, string> = {
  connections_max: 'closing connections: server.connectionsMax is reached',
  client_max: 'closing connections: a client has reached server.connectionsPerClientMax',
  descriptors: 'closing connections: there are no file descriptors left; raise ulimit -n',
  stalled: 'closing connections: their clients read nothing for 30 s',
  pipelined: 'closing connections: their clients sent too many requests without waiting for the answers',
  memory:
    'closing connections: incomplete request headers use all the memory that memory.max leaves for them',
};

/** What follows from it, for each part of the log that was damaged and was made anew. */
const REPAIRED: Record<Part, string> = {
  ids: 'the log was damaged: rebuilt the table of ids; events sent again with a lost id are stored twice',
  counters:
    'the log was damaged: rebuilt the table of notes; if the counters of events were lost, they start at 0 again',
  scrapers: 'the log was damaged: rebuilt the table of scrapers; no position is lost',
  meta: 'the log was damaged: rebuilt the table meta; nothing is lost',
  file: 'the log was damaged where it is written to: rebuilt the file from all that could be read; delete the damaged one when you no longer need it',
};

/** What intake and delivery have to say beside scrapers' coming and going. */
interface RelayNews {
  warned(id: string, warning: string): void;
  postponed(error: Error): void;
  podsUnknown(error: Error): void;
  closed: CloseNews;
  fewDescriptors(limit: number, connections: number): void;
  damaged(damages: readonly Damage[]): void;
  repaired(repair: Repair): void;
  store: StoreListener;
  leads(): void;
  standsBy(): void;
  lostLead(why: Error): void;
}

/** Writes what is worth a line into the server's log. */
export function newsFor(
  logger: Logger,
  elapsed: Monotonic,
): ScraperNews & ServerNews & RelayNews & AccessNews & SinkNews {
  const throttle = new Throttle(LINES_MAX, WINDOW_MS, elapsed);
  const limited = (write: (more: object) => void) =>
    throttle.run((held) => write(held === 0 ? {} : { unshown: held }));
  const closed = new Map(
    Object.keys(CLOSED).map((reason) => [reason, new Throttle(1, CLOSED_WINDOW_MS, elapsed)]),
  );
  return {
    closed: (reason, client) =>
      closed
        .get(reason)
        ?.run((held) => logger.warn({ reason, client, ...(held > 0 && { unshown: held }) }, CLOSED[reason])),
    fewDescriptors: (limit, connections) =>
      logger.warn(
        { limit, connections },
        'ulimit -n allows fewer connections than server.connectionsMax; raise it, or lower the setting',
      ),
    appeared: ({ id, identifiedBy, address, position }) =>
      logger.info({ scraper: id, identifiedBy, address, offset: position.head }, 'new scraper'),
    forgotten: ({ id }, pending) => logger.info({ scraper: id, pending }, 'scraper forgotten'),
    tooMany: ({ id, address }) =>
      limited((more) => logger.warn({ scraper: id, address, ...more }, 'scraper refused: too many')),
    warned: (id, warning) => logger.warn({ scraper: id }, warning),
    postponed: (error) =>
      limited((more) =>
        logger.warn({ error: error.message, ...more }, 'housekeeping is waiting for the log'),
      ),
    podsUnknown: (error) =>
      limited((more) => logger.warn({ error: error.message, ...more }, 'watching pods failed; trying again')),
    damaged: (damages) =>
      limited((more) =>
        logger.warn(
          {
            entries: damages.reduce((sum, { after, upTo }) => sum + upTo - after, 0),
            after: damages[0]?.after,
            upTo: damages.at(-1)?.upTo,
            why: damages[0]?.why,
            ...more,
          },
          'the log is damaged: unreadable entries are skipped; stop the server and run `oneshot log check`',
        ),
      ),
    repaired: ({ part, lost, kept }) =>
      limited((more) => logger.warn({ part, lost, kept, ...more }, REPAIRED[part])),
    leads: () => logger.info('leading: this server delivers the events from now on'),
    standsBy: () => logger.info('standing by: another server delivers the events'),
    lostLead: (why) => logger.warn({ why: why.message }, 'lost the lead; standing by'),
    store: (told) => limited((more) => tellStore(logger, told, more)),
    unsaved: ({ id }, cause) =>
      limited((more) =>
        logger.warn(
          { scraper: id, cause: String(cause), ...more },
          'position not saved; the next change saves it',
        ),
      ),
    sinkFailing: (sink, why) =>
      limited((more) => logger.warn({ sink, why, ...more }, 'the sink takes nothing; trying again')),
    sinkRecovered: (sink, failedMs) =>
      limited((more) =>
        logger.info({ sink, failedMs: Math.round(failedMs), ...more }, 'the sink takes events again'),
      ),
    sinkRefused: (sink, series, why) =>
      limited((more) => logger.warn({ sink, series, why, ...more }, 'the sink refused an event; dropped')),
    sinkFallsBack: (sink) =>
      logger.info({ sink }, "the sink doesn't understand remote write 2.0; sending 1.0 from now on"),
    sinkLacksOwnMetrics: (sink, why) =>
      limited((more) =>
        why === undefined
          ? logger.info({ sink, ...more }, "the sink stores the server's own metrics again")
          : logger.warn({ sink, why, ...more }, "the sink doesn't store the server's own metrics"),
      ),
    refused: ({ route, status, field, error }) =>
      limited((more) => logger.info({ route, status, field, error, ...more }, 'request refused')),
    leftOut: ({ route, field, error }) =>
      limited((more) => logger.info({ route, field, error, ...more }, 'parts of a webhook left out')),
    reloaded: (file) => logger.info({ file }, 'reloaded after a change'),
    kept: (file, error) =>
      logger.error({ file, error: error.message }, 'change not applied; the previous version stays in force'),
    failed: (error) => logger.error({ err: error }, 'request failed'),
  };
}

const SURVIVING: Record<StoreWorth['survives'], string> = {
  process: 'accepted events may be lost when the database crashes',
  power: 'accepted events survive a loss of power, but not the loss of the machine that the database is on',
  machine: 'accepted events survive the loss of the machine that the database is on',
};

function tellStore(logger: Logger, told: StoreNews, more: object): void {
  switch (told.kind) {
    case 'away':
      logger.error({ why: told.why, ...more }, "the database can't be used; trying again");
      break;
    case 'back':
      logger.info({ awayMs: Math.round(told.afterMs), ...more }, 'the database can be used again');
      break;
    case 'worth':
      if (told.survives === 'machine') logger.info(more, SURVIVING.machine);
      else logger.warn({ why: told.why, ...more }, SURVIVING[told.survives]);
      break;
    default:
      told satisfies never;
  }
}
