import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from '../support/faultProxy.ts';
import { NetworkNamespaces, Wire } from '../support/networkNamespaces.ts';
import type { ScrapeConfig } from '../support/prometheus.ts';
import { temporaryFolder } from '../support/server.ts';
import type { Collector, CollectorProcess } from './collector.ts';
import { FaultyServer } from './faultyServer.ts';
import type { ScenarioPath } from './faults.ts';
import type { Format } from './format.ts';
import type { Random } from './random.ts';
import { SmallDisk } from './smallDisk.ts';

export const SCRAPER = 'p';
export const JOB = 'events';
export const INTERVAL_MS = 1_000;
/** Longer than any single fault, and short enough to end within a scenario. */
const LEASE = '10s';
const UP_MS_MAX = 120_000;
const POLL_MS = 100;
/** How far from the next scrape an aimed fault strikes, in ms. */
const AIM_MS = { early: -4, late: 12 };

export interface StageOptions {
  readonly collector: Collector;
  readonly format: Format;
  readonly path: ScenarioPath;
  readonly smallDisk: boolean;
  /** The namespace of the server, where the wire is the path. */
  readonly serverNamespace: string | undefined;
  readonly random: Random;
}

/** A server, a Prometheus (or VictoriaMetrics) that scrapes it, and what lies between them. */
export class Stage implements AsyncDisposable {
  readonly server: FaultyServer;
  readonly prometheus: CollectorProcess;
  readonly random: Random;
  readonly proxy: FaultProxy | undefined;
  readonly wire: Wire | undefined;
  readonly disk: SmallDisk | undefined;
  readonly #folder = temporaryFolder();
  readonly #options: StageOptions;
  #reloads = 0;

  private constructor(options: StageOptions) {
    this.#options = options;
    this.random = options.random;
    const { serverNamespace, format } = options;
    this.disk = options.smallDisk ? new SmallDisk(this.#folder.path) : undefined;
    const place =
      serverNamespace === undefined
        ? { inside: [], listen: '127.0.0.1', address: '127.0.0.1' }
        : {
            inside: NetworkNamespaces.inside(serverNamespace),
            listen: '0.0.0.0',
            address: NetworkNamespaces.BACK.server,
          };
    mkdirSync(join(this.#folder.path, 'data'));
    this.server = new FaultyServer(place, [
      `--store.path=${join(this.#folder.path, 'data')}`,
      `--scrape.lease=${LEASE}`,
      ...format.serverFlags,
    ]);
    if (serverNamespace !== undefined) this.wire = new Wire(serverNamespace);
    if (options.path === 'proxy')
      this.proxy = new FaultProxy({ host: place.address, port: () => this.server.port });
    this.prometheus = options.collector.process;
  }

  /** Resolves when the first scrape is through. */
  static async set(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options);
    try {
      await stage.server.start();
      if (options.path === 'two targets') await stage.server.findOtherPort();
      await stage.proxy?.start();
      await stage.prometheus.start();
      await stage.prometheus.reload(stage.#scrapeConfigs());
      await stage.untilUp();
      return stage;
    } catch (cause) {
      await stage[Symbol.asyncDispose]();
      throw cause;
    }
  }

  /** Waits for a scrape that succeeds from now on; rejects when none does. */
  async untilUp(): Promise<void> {
    const from = Date.now();
    while (Date.now() < from + UP_MS_MAX) {
      const targets = await this.prometheus.query(`up{job="${JOB}"}[10s]`).catch(() => []);
      if (targets.some(({ samples }) => samples.some(({ at, value }) => at > from && value === 1))) return;
      await sleep(POLL_MS);
    }
    throw new Error(`no scrape succeeded within ${UP_MS_MAX} ms:\n${await this.#logs()}`);
  }

  /** Waits for the moment of the next scrape, give or take some milliseconds; with no Prometheus to ask, for some moment. */
  async aim(): Promise<void> {
    const [last] = await this.prometheus.query(`timestamp(up{job="${JOB}"} == 1)`).catch(() => []);
    const at = last?.samples[0]?.value;
    const off = this.random.between(AIM_MS.early, AIM_MS.late);
    const phase = at === undefined ? this.random.between(0, INTERVAL_MS) : at * 1000 - Date.now() + off;
    await sleep(((phase % INTERVAL_MS) + INTERVAL_MS) % INTERVAL_MS);
  }

  /** Has Prometheus read a changed configuration, so that it closes its connections and starts its scrapes anew. */
  async reload(): Promise<void> {
    this.#reloads += 1;
    await this.prometheus.reload(this.#scrapeConfigs());
  }

  /** Ends whatever still disturbs. */
  heal(): void {
    this.wire?.heal();
    this.disk?.free();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heal();
    await this.prometheus.stop();
    await this.proxy?.[Symbol.asyncDispose]();
    await this.server.stop();
    this.disk?.[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }

  #scrapeConfigs(): ScrapeConfig[] {
    const { path, format } = this.#options;
    const host = path === 'wire' ? NetworkNamespaces.WIRE.server : '127.0.0.1';
    const targets = [`${host}:${this.proxy?.port ?? this.server.port}`];
    // In order, since what it has is compared with the configuration of before.
    if (path === 'two targets') targets.push(`${host}:${this.server.otherPort}`);
    return [
      {
        job_name: JOB,
        targets: targets.toSorted(),
        params: { scraper: [SCRAPER], without: ['instance,pod'] },
        honor_labels: true,
        // As where the server is found by its pods: another one has another name.
        relabel_configs: [{ source_labels: ['__address__'], target_label: 'pod', replacement: 'pod-$1' }],
        scrape_interval: '1s',
        scrape_timeout: '1s',
        // Any change makes a reload start the scrapes of the job anew.
        sample_limit: 1_000_000 + this.#reloads,
        ...format.scrapeConfig,
      },
    ];
  }

  async #logs(): Promise<string> {
    return `${this.server.output.slice(-2_000)}\n${(await this.prometheus.log()).slice(-2_000)}`;
  }
}
