/**
 * The same text in memory of its own. A part that was cut out of a long text holds on to the whole of it; what is kept for long, and is small
 * itself, must not.
 */
export function ownCopy(text: string): string {
  // An engine that joins texts makes a new one, and cuts the part out of that.
  return ` ${text}`.slice(1);
}

/**
 * The same text as the engine keeps it for the name of a member: equal ones are one, so that to compare two of these is to compare two
 * addresses. It holds on to nothing else.
 */
export function interned(text: string): string {
  const object = Object.create(null) as Record<string, true>;
  object[text] = true;
  const [name = text] = Object.keys(object);
  return name;
}
