import { Document, isScalar, visit } from 'yaml';
import { scrapeConfigOf, serviceMonitorOf, serviceMonitorText } from './serviceMonitor.ts';

/** A page with the chart's own ServiceMonitor in its blocks, and the scrape config that it becomes. */
export function withMonitorBlocks(page: string, manifests: string): string {
  const target = { static_configs: [{ targets: ['localhost:8090'] }] };
  const config = { scrape_configs: [{ ...scrapeConfigOf(serviceMonitorOf(manifests)), ...target }] };
  const made = withBlock(page, 'servicemonitor', serviceMonitorText(manifests));
  return withBlock(made, 'servicemonitor-scrape-config', yamlOf(config));
}

function withBlock(page: string, name: string, text: string): string {
  const block = new RegExp(`^\`\`\`yaml ${name}\n[^]*?^\`\`\`$`, 'm');
  if (!block.test(page)) throw new Error(`the page has no block \`\`\`yaml ${name}`);
  return page.replace(block, () => `\`\`\`yaml ${name}\n${text.trim()}\n\`\`\``);
}

/** As people write a scrape config: lists of words on one line. */
function yamlOf(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Seq: (_key, list) => {
      list.flow = list.items.every((item) => isScalar(item));
    },
  });
  return document.toString();
}
