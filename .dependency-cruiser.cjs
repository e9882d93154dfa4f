// Who may import whom: the table of ARCHITECTURE.md as rules. Run by tools/checks/import-table.mjs, which also makes sure
// that every source file was really read. An area not in the table may import nothing of ours.

const CORE_PORTS = ['wire', 'broker/events', 'broker/ports'];

/** area → areas it may import, besides itself. `broker/events` and `broker/start` are files, the rest are folders. */
const TABLE = {
  wire: [],
  client: ['wire'],
  admin: [],
  pki: [],
  'broker/events': ['wire', 'broker/ports'],
  'broker/ports': ['wire', 'broker/events'],
  'broker/core': CORE_PORTS,
  'broker/identity': [...CORE_PORTS, 'pki/protocol'],
  'broker/access': CORE_PORTS,
  'broker/store': CORE_PORTS,
  'broker/cluster': CORE_PORTS,
  'broker/observe': CORE_PORTS,
  'broker/net': [...CORE_PORTS, 'broker/core'],
  'broker/api': ['broker/events', 'broker/ports', 'admin'],
  'broker/host': ['broker/ports'],
  'broker/start': ['wire', 'admin', 'pki', 'broker'],
  motte: ['wire', 'client', 'admin', 'broker', 'pki'],
};

/** Without node:*, package, clock, randomness or timers of their own: all of these are passed in. */
const PURE = ['wire', 'broker/core', 'broker/events', 'broker/ports'];

/** Tests and what only tests use stand outside the table; nothing of the product may import them. */
const TESTS = '\\.test\\.ts$|/src/(?:testing|twin)/';

/** @param {string} area @returns {string} a pattern of the area's files */
function filesOf(area) {
  const [name, part] = area.split('/');
  return part === undefined ? `^packages/${name}/src/` : `^packages/${name}/src/${part}(?:/|\\.ts$)`;
}

const tableRules = Object.entries(TABLE).map(([area, allowed]) => ({
  name: `${area} imports ${allowed.length === 0 ? 'nothing of ours' : `only ${allowed.join(', ')}`}`,
  severity: 'error',
  from: { path: filesOf(area), pathNot: TESTS },
  to: { path: '^(?:packages|test|bench|tools)/', pathNot: [area, ...allowed].map(filesOf) },
}));

const pureRules = PURE.map((area) => ({
  name: `${area} imports neither Node nor a package`,
  severity: 'error',
  from: { path: filesOf(area), pathNot: TESTS },
  to: {
    dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'],
    pathNot: '^packages/',
  },
}));

module.exports = {
  forbidden: [
    ...tableRules,
    ...pureRules,
    {
      name: 'every file belongs to an area of the table',
      severity: 'error',
      from: { path: '^packages/', pathNot: [...Object.keys(TABLE).map(filesOf), TESTS] },
      to: {},
    },
    {
      name: 'the product imports no test',
      severity: 'error',
      from: { path: '^packages/', pathNot: TESTS },
      to: { path: TESTS },
    },
    {
      name: 'no cycle at run time',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'imports lead to sources, not to what was built of them',
      severity: 'error',
      from: {},
      to: { path: '^packages/[^/]+/dist/' },
    },
    { name: 'every import leads to a file', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'every package imported is declared where it is used',
      severity: 'error',
      from: { path: '^packages/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'], pathNot: '^packages/' },
    },
  ],
  options: {
    // Type-only imports count for the table too: a type is knowledge of another area.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules|/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      // Without these an import by package name is not seen to lead into another package's sources.
      conditionNames: ['source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
