// What the npm scripts of this clone do: install what is missing, build what has changed, then start, test, check or measure.
// Plain Node without a dependency, because it runs before anything is installed. The steps are in run/.
import { build } from './run/build.mjs';
import { check } from './run/check.mjs';
import { EVERYTHING, install, RUNTIME } from './run/install.mjs';
import { runNode } from './run/programs.mjs';
import { start } from './run/start.mjs';
import { lackingPrograms, provideSystemPackages } from './run/system-packages.mjs';
import { LACKS_VARIABLE, test } from './run/test.mjs';

const USAGE = 'usage: node tools/run.mjs start|build|test|check|bench [ARGUMENT...]';

/** Each answers with an exit code. */
const COMMANDS = {
  start: (rest) => install(RUNTIME) || build() || start(rest),
  build: () => install(RUNTIME) || build(),
  test: (rest) => install(EVERYTHING) || provided(() => build() || test(rest)),
  check: () => install(EVERYTHING) || build() || check(),
  bench: (rest) => install(EVERYTHING) || provided(() => build() || runNode(['bench/run.mjs', ...rest])),
};

/** Provides the programs outside npm that tests and benchmarks use; what cannot be had is named and left out. */
function provided(next) {
  provideSystemPackages();
  process.env[LACKS_VARIABLE] = lackingPrograms().join(',');
  return next();
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 20)) return false;
  console.error(`motte: Node ${process.versions.node} is too old: 20.20 or later is needed, 24 is recommended`);
  return true;
}

const [name, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(COMMANDS, name ?? '')) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = refuseOldNode() ? 4 : await COMMANDS[name](rest);
}
