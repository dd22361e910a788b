#!/usr/bin/env node
// Every Node from 18 on must be able to read this file, so that an old one can say what it lacks: nothing is imported before that.
const NODE_MAJOR_MIN = 20;

const major = Number.parseInt(process.versions.node, 10);
if (major < NODE_MAJOR_MIN) {
  process.stderr.write(
    `oneshot needs Node ${NODE_MAJOR_MIN} or newer (24 for the server), but this is Node ${process.versions.node}; install a newer one\n`,
  );
  process.exitCode = 2;
} else {
  await import('./main.ts');
}
