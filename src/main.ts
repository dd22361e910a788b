import { readFileSync } from 'node:fs';
import process from 'node:process';
import { readConfigFile } from './config/file.ts';
import { serve } from './cli/serve.ts';
import { millis } from './core/millis.ts';

const NODE_MAJOR_MIN = 24;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `oneShotMetricsServer needs Node ${NODE_MAJOR_MIN}, this is ${process.version}; npm start brings its own\n`,
  );
  process.exit(2);
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const { version } = JSON.parse(read('../package.json')) as { version: string };

const stopAsked = new Promise<string>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      resolve(signal);
      // Who asks twice does not want to wait.
      process.once(signal, () => process.exit(1));
    });
  }
});

const code = await serve({
  argv: process.argv.slice(2),
  env: process.env,
  readFile: readConfigFile,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: () => millis(Date.now()),
  version,
  guide: read('../README.md'),
  stopAsked,
});
process.exit(code);
