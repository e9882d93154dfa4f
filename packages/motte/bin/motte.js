#!/usr/bin/env node
// The program's committed entry, so that npm can link it before anything is built. CommonJS, because loading an ES module
// already starts the threads whose number it sets: commits, hashing, files and names share them.
process.env.UV_THREADPOOL_SIZE ??= '8';
import('../dist/main.js').then(
  ({ main }) => main(process.argv.slice(2)),
  (fault) => {
    if (fault.code !== 'ERR_MODULE_NOT_FOUND') throw fault;
    process.stderr.write('motte: not built yet: run `npm run build` in the clone (MOT-0001)\n');
    process.exit(2);
  },
);
