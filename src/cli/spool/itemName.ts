/**
 * The name of an event's file in the spool, which says all that must be known without opening it:
 *
 *     001700000000123-3f0c…-142.json                  waits
 *     001700000000123-3f0c…-142.json.1700000060000    somebody sends it, until then
 *
 * its time in ms (15 digits, so that names sort by time), something random, and its size in bytes.
 */
export interface ItemName {
  /** What it is called while it waits. */
  readonly waiting: string;
  readonly bytes: number;
  /** Until when it is claimed, in ms since the Unix epoch; undefined where it waits. */
  readonly claimedUntil: number | undefined;
}

const NAME = /^(\d{15}-[0-9a-z]{1,40}-(\d{1,10})\.json)(?:\.(\d{1,15}))?$/;
const TEMPORARY = /^\.(\d{1,15})-[0-9a-z]{1,40}\.tmp$/;

/** Reads a name; undefined for a file that is no event's. */
export function readItemName(name: string): ItemName | undefined {
  const [, waiting, bytes, until] = NAME.exec(name) ?? [];
  if (waiting === undefined) return undefined;
  return { waiting, bytes: Number(bytes), claimedUntil: until === undefined ? undefined : Number(until) };
}

export function writeItemName(time: number, random: string, bytes: number): string {
  return `${String(time).padStart(15, '0')}-${tidy(random)}-${bytes}.json`;
}

export function claimedName(waiting: string, until: number): string {
  return `${waiting}.${until}`;
}

/** The name of a file that is being written. Whoever finds it after `until` removes it: its writer is gone. */
export function temporaryName(until: number, random: string): string {
  return `.${until}-${tidy(random)}.tmp`;
}

/** Until when a file is being written; undefined for any other file. */
export function writtenUntil(name: string): number | undefined {
  const until = TEMPORARY.exec(name)?.[1];
  return until === undefined ? undefined : Number(until);
}

function tidy(random: string): string {
  return random
    .toLowerCase()
    .replaceAll(/[^0-9a-z]/g, '')
    .slice(0, 40);
}
