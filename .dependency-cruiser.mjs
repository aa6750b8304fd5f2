/** The arrows of the house: a package imports only from the rows its line names (ARCHITECTURE.md, Floors). */
const MAY_IMPORT = {
  kernel: [],
  crypto: ['kernel'],
  protocol: ['kernel'],
  facts: ['kernel', 'protocol'],
  rules: ['kernel', 'protocol'],
  log: ['kernel', 'crypto'],
  policy: ['kernel', 'crypto', 'protocol', 'rules'],
  receipts: ['kernel', 'crypto', 'protocol', 'log'],
  judge: ['kernel', 'crypto', 'protocol', 'facts', 'rules', 'policy'],
  pipeline: ['kernel', 'crypto', 'protocol', 'facts', 'rules', 'log', 'policy', 'receipts', 'judge'],
  store: ['kernel', 'crypto', 'protocol', 'log', 'pipeline'],
  gateway: ['kernel', 'crypto', 'protocol', 'facts', 'rules', 'log', 'policy', 'receipts', 'judge', 'pipeline'],
  intel: ['kernel', 'crypto', 'protocol', 'policy'],
  runtime: ['kernel', 'crypto', 'protocol', 'facts', 'rules', 'log', 'policy', 'receipts', 'judge', 'pipeline', 'store', 'intel'],
  sdk: ['kernel', 'protocol', 'receipts', 'crypto', 'log', 'facts', 'rules', 'policy', 'judge', 'pipeline', 'store', 'intel', 'runtime'],
};

const arrows = Object.entries(MAY_IMPORT).map(([from, to]) => ({
  name: `floor-${from}`,
  severity: 'error',
  comment: `packages/${from} may import only ${to.length === 0 ? 'nothing' : to.join(', ')}`,
  from: { path: `^packages/${from}/src` },
  to: { path: '^(packages|apps)/', pathNot: [from, ...to].map((name) => `^packages/${name}/`) },
}));

export default {
  forbidden: [
    ...arrows,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'testkit-in-tests-only',
      severity: 'error',
      from: { path: '^(packages|apps)/[^/]+/src', pathNot: '^packages/testkit' },
      to: { path: '^packages/testkit' },
    },
    {
      name: 'pure-floors-have-no-io',
      severity: 'error',
      from: { path: '^packages/(kernel|protocol|facts|rules|log|policy|receipts|judge|pipeline)/src' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'browser-crypto-has-no-io',
      severity: 'error',
      comment: 'what the condition `browser` leads to runs where there is no Node',
      from: { path: '^packages/crypto/src/(browser/|(note|note-key|limits|ed25519-strictness)[.]ts$)' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'page-only-verifies',
      severity: 'error',
      comment: 'the page of apps/verifier may import only kernel, crypto, log and receipts/verify',
      from: { path: '^apps/verifier/src' },
      to: {
        path: '^(packages|apps)/',
        pathNot: '^(apps/verifier/src|packages/(kernel|crypto|log)/src|packages/receipts/src/verify[.]ts$)',
      },
    },
    {
      name: 'noble-in-browsers-only',
      severity: 'error',
      comment: 'Node has its own cryptography, but not the curve of signed transfers, which only the engine file holds',
      from: { path: '^(packages|apps)/[^/]+/src', pathNot: '^packages/(crypto/src/browser/|judge/src/transfer-signature[.]ts$)' },
      to: { path: '(^|/)@noble/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.test.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@countersign/source', 'import', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js'],
    },
  },
};
