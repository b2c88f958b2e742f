/** Tests run as native ES modules; types are stripped by swc, so a type error is the type checker's to find. */
export default {
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  testTimeout: 60_000,
  testSequencer: '<rootDir>/scripts/longest-first.mjs',
  // Also on two cores, where jest would take one: many suites wait for processes rather than for the processor.
  maxWorkers: '100%',
};
