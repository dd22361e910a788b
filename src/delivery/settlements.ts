import type { Settlement } from './offer.ts';
import type { Verdict } from './settling.ts';
import type { Counts, DeliveryOutcome } from '../counting/counts.ts';

const OUTCOME_OF_RETURN: Record<Verdict, DeliveryOutcome> = {
  confirm: 'returned',
  confirmUnproven: 'returned',
  return: 'returned',
  returnDoubtful: 'doubtful',
  again: 'repeated',
  againOnce: 'repeated',
  hold: 'returned',
};

/** Counts what a settlement did, by entries. What only ended well, if twice, is a judgement, and no proof. */
export function countSettlement(
  counts: Counts,
  { verdict, confirmed, collapsed, returned }: Settlement,
): void {
  counts.deliveries[verdict === 'confirm' ? 'confirmed' : 'unproven'] += confirmed - collapsed;
  counts.deliveries.collapsed += collapsed;
  counts.deliveries[OUTCOME_OF_RETURN[verdict]] += returned;
}
