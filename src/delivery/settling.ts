import type { Evidence } from './evidence.ts';
import type { Mode, Phase } from '../core/position.ts';

/** What becomes of an offer. */
export type Verdict =
  /** Delivered, and proved. */
  | 'confirm'
  /** Delivered as far as can be told; a judgement, not proof. */
  | 'confirmUnproven'
  /** Not delivered: its entries are in the next offer. */
  | 'return'
  /** Perhaps delivered; judged as not. */
  | 'returnDoubtful'
  /** Perhaps delivered; offered again, since a repeated timed sample is stored once. */
  | 'again'
  /** Ended well: offered again; where the client closes after each scrape, confirmed when it ends well a second time. */
  | 'againOnce'
  /** Nothing is known yet: it stays out. */
  | 'hold';

/**
 * The settling table of docs/spec/delivery.md, completed by the compiler. Facts behind it: a response cut before its end stores
 * nothing; a clean end proves little, since a client that times out sends one too, and a TCP proxy makes one of any ending; a reset
 * mostly means unread bytes, but a proxy or a packet filter may send one after everything was read; `finish` alone proves nothing.
 * So every verdict on an untimed offer that may be wrong is one that is counted: `confirmUnproven` or `returnDoubtful`.
 */
const TABLE: Record<Mode, Record<Phase, Record<Evidence, Verdict>>> = {
  timed: {
    sending: {
      nextRequest: 'again', // pipelined before our response was out: no proof of anything
      reset: 'return',
      cleanEnd: 'return',
      doubtfulEnd: 'return',
      closed: 'return',
      elsewhere: 'return', // and not `again`, so that the page is halved: a body too large for its network must not come whole for ever
      leaseOver: 'return',
      restart: 'again',
    },
    flushed: {
      nextRequest: 'confirm',
      reset: 'return',
      cleanEnd: 'againOnce',
      doubtfulEnd: 'return',
      closed: 'again',
      elsewhere: 'again',
      leaseOver: 'again',
      restart: 'again',
    },
  },
  untimed: {
    sending: {
      nextRequest: 'hold',
      reset: 'return',
      cleanEnd: 'return',
      doubtfulEnd: 'return',
      closed: 'return',
      elsewhere: 'hold',
      leaseOver: 'return', // and its connection is cut, so that the rest can't arrive
      restart: 'returnDoubtful', // its way into the kernel may have gone unrecorded
    },
    flushed: {
      nextRequest: 'confirm',
      reset: 'returnDoubtful',
      cleanEnd: 'confirmUnproven',
      doubtfulEnd: 'returnDoubtful',
      closed: 'hold',
      elsewhere: 'hold',
      leaseOver: 'confirmUnproven',
      restart: 'confirmUnproven',
    },
  },
};

export function judge(mode: Mode, phase: Phase, evidence: Evidence): Verdict {
  return TABLE[mode][phase][evidence];
}
