import { ALERTMANAGER, PROMETHEUS } from './alertmanager.ts';
import { GITHUB } from './github.ts';
import { GITLAB } from './gitlab.ts';
import { ARGOCD, FLUX } from './gitops.ts';
import { GRAFANA, GRAPHITE } from './grafana.ts';
import type { Preset } from './sender.ts';

/** All webhooks that are there without being configured. */
export const PRESETS: readonly Preset[] = [
  PROMETHEUS,
  ALERTMANAGER,
  GITHUB,
  GITLAB,
  GRAFANA,
  GRAPHITE,
  ARGOCD,
  FLUX,
];
