import { parse } from 'yaml';

/** A ServiceMonitor, as far as the chart makes one. */
export interface ServiceMonitor {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly sampleLimit?: number;
    readonly scrapeProtocols?: readonly string[];
    readonly endpoints: readonly Endpoint[];
  };
}

type Rule = Readonly<Record<string, unknown>>;

interface Endpoint {
  readonly path?: string;
  readonly scheme?: string;
  readonly interval?: string;
  readonly scrapeTimeout?: string;
  readonly honorLabels?: boolean;
  readonly honorTimestamps?: boolean;
  readonly trackTimestampsStaleness?: boolean;
  readonly params?: Readonly<Record<string, readonly string[]>>;
  readonly relabelings?: readonly Rule[];
  readonly metricRelabelings?: readonly Rule[];
}

/** The only ServiceMonitor among manifests, as text. Throws where there is none. */
export function serviceMonitorText(manifests: string): string {
  const found = manifests.split(/^---$/m).find((text) => /^kind: ServiceMonitor$/m.test(text));
  if (found === undefined) throw new Error('there is no ServiceMonitor among the manifests');
  return found.replace(/^# Source: .*\n/m, '').trim();
}

export const serviceMonitorOf = (manifests: string): ServiceMonitor =>
  parse(serviceMonitorText(manifests)) as ServiceMonitor;

/**
 * The scrape config that the Operator makes of a ServiceMonitor's first endpoint, but for what finds the targets, and for relabelings and
 * credentials of its own:
 * https://github.com/prometheus-operator/prometheus-operator/blob/v0.85.0/pkg/prometheus/promcfg.go
 */
export function scrapeConfigOf({ metadata, spec }: ServiceMonitor): Readonly<Record<string, unknown>> {
  const [endpoint = {}] = spec.endpoints;
  const config = {
    job_name: `serviceMonitor/${metadata.namespace}/${metadata.name}/0`,
    honor_labels: endpoint.honorLabels,
    honor_timestamps: endpoint.honorTimestamps,
    track_timestamps_staleness: endpoint.trackTimestampsStaleness,
    scrape_interval: endpoint.interval,
    scrape_timeout: endpoint.scrapeTimeout,
    metrics_path: endpoint.path,
    scheme: endpoint.scheme,
    params: endpoint.params,
    scrape_protocols: spec.scrapeProtocols,
    sample_limit: spec.sampleLimit,
    relabel_configs: endpoint.relabelings?.map((rule) => snakeCased(rule)),
    metric_relabel_configs: endpoint.metricRelabelings?.map((rule) => snakeCased(rule)),
  };
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

/** `targetLabel` of the resource is `target_label` in Prometheus. */
function snakeCased(rule: Rule): Rule {
  return Object.fromEntries(
    Object.entries(rule).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
