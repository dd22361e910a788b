import process from 'node:process';

/** The program, which throws where nobody catches when it gets SIGUSR2. */
process.on('SIGUSR2', () => {
  throw new Error('thrown by a test');
});
await import('../../src/main.ts');
