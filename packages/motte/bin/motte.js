#!/usr/bin/env node
// The program's committed entry, so that npm can link it before anything is built.
process.env.UV_THREADPOOL_SIZE ??= '8';
const { main } = await import('../dist/main.js').catch((fault) => {
  if (fault.code !== 'ERR_MODULE_NOT_FOUND') throw fault;
  process.stderr.write('motte: not built yet: run `npm run build` in the clone (MOT-0001)\n');
  process.exit(2);
});
await main(process.argv.slice(2));
