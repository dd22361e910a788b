import type { Settlement } from '../core/offer.ts';
import type { Verdict } from '../core/settling.ts';
import type { Counts, DeliveryOutcome } from './counts.ts';

const OUTCOME_OF_RETURN: Record<Verdict, DeliveryOutcome> = {
  confirm: 'returned',
  confirmUnproven: 'returned',
  return: 'returned',
  returnDoubtful: 'doubtful',
  again: 'repeated',
  againOnce: 'repeated',
  hold: 'returned',
};

/** Counts what a settlement did, by entries. */
export function countSettlement(
  counts: Counts,
  { verdict, confirmed, collapsed, returned }: Settlement,
): void {
  counts.deliveries[verdict === 'confirmUnproven' ? 'unproven' : 'confirmed'] += confirmed - collapsed;
  counts.deliveries.collapsed += collapsed;
  counts.deliveries[OUTCOME_OF_RETURN[verdict]] += returned;
}
