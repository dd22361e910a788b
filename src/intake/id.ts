import { RefusedError, shown } from '../core/errors.ts';
import { utf8Bytes } from '../core/utf8.ts';

/** Control characters, line ends, and halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Checks an id, which is 1 to `idBytesMax` bytes of printable Unicode. Throws a RefusedError. */
export function checkId(field: string, id: string, idBytesMax: number): string {
  if (id === '') {
    throw new RefusedError(field, `${field} is empty; give each event its own id, or leave it out`);
  }
  if (utf8Bytes(id, idBytesMax) > idBytesMax) {
    throw new RefusedError(
      field,
      `${field} ${shown(id)} is longer than ${idBytesMax} bytes; shorten it (for example, use a hash) or raise event.idMax`,
    );
  }
  if (UNPRINTABLE.test(id)) {
    throw new RefusedError(
      field,
      `${field} ${shown(id)} contains an unprintable character; use only printable ones`,
    );
  }
  return id;
}

/** An id as it is remembered. Those of different spaces are different: no printable id holds what stands between the two. */
export function idIn(space: string | undefined, id: string): string {
  return space === undefined ? id : `${space}\n${id}`;
}
