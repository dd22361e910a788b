/**
 * A legitimate client in a process of its own: `node witness.ts <role> <options in JSON>`. SIGUSR2 tells it that the flood is over.
 * Its last line is what it saw.
 */
import type { WitnessOptions } from './witnesses/options.ts';
import { watchHealth } from './witnesses/health.ts';
import { post } from './witnesses/poster.ts';
import { scrape } from './witnesses/scraper.ts';

const ROLES = { health: watchHealth, poster: post, scraper: scrape };

const [role, text] = process.argv.slice(2) as [keyof typeof ROLES, string];
const over = new Promise<void>((resolve) => void process.once('SIGUSR2', () => resolve()));
process.stdout.write('ready\n');
const seen = await ROLES[role](JSON.parse(text) as WitnessOptions, over);
process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit());
