import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Who may import whom (docs/architecture.md). Each zone: files under `target` may not import from `from`. */
const zones = [
  {
    target: './runtime/ports',
    from: ['./runtime', './resource', './schema', './cli', './operator'],
    except: ['./ports'],
    message: 'Ports are interfaces only: they import nothing but each other.',
  },
  {
    target: './runtime/adapters',
    from: ['./runtime', './resource', './schema', './cli', './operator'],
    except: ['./ports', './adapters'],
    message: 'Adapters import ports and their client library.',
  },
  ...['kafka', 'mongodb', 'redis', 's3', 'static'].map((adapter, _, services) => ({
    target: `./runtime/adapters/${adapter}`,
    from: [...services, 'embedded', 'composed']
      .filter((other) => other !== adapter)
      .map((other) => `./runtime/adapters/${other}`),
    message: 'No adapter imports another; what several need stands beside their folders.',
  })),
  {
    target: ['./runtime/!(compose)/**/*', './runtime/*.ts', './resource', './schema', './operator'],
    from: './runtime/compose',
    message: 'The composition root is for the command, benches and tests.',
  },
  {
    target: './runtime/domains',
    from: ['./runtime', './resource', './schema', './cli', './operator'],
    except: ['./domains', './domain-kit', './ports', './generated', './errors.ts'],
    message: 'Domains import domain-kit, ports, generated code and errors.',
  },
  {
    target: './runtime/domain-kit',
    from: ['./runtime', './resource', './schema', './cli', './operator'],
    except: ['./domain-kit', './ports', './generated', './errors.ts', './clock.ts'],
    message: 'The domain kit knows ports and errors, no role, link or adapter.',
  },
  {
    target: './runtime/link',
    from: ['./runtime', './resource', './schema', './cli', './operator'],
    except: ['./link', './generated', './clock.ts'],
    message: 'The link carries operations and knows nothing of what they mean.',
  },
  {
    target: './runtime/parking',
    from: ['./runtime', './resource', './schema', './cli', './operator'],
    except: [
      './parking',
      './ports',
      './domain-kit',
      './errors.ts',
      './clock.ts',
      './backoff.ts',
      './metrics.ts',
      './logging.ts',
      './log-limiter.ts',
    ],
    message: 'Parking knows ports, outcomes and errors, no role and no adapter.',
  },
  {
    target: './runtime/archive',
    from: ['./runtime', './resource', './schema', './cli', './operator'],
    except: ['./archive', './ports'],
    message: 'The archive is a format on ports: role and command read and write it.',
  },
  {
    target: './runtime/roles',
    from: ['./runtime/adapters', './resource', './cli', './operator'],
    message: 'Roles see ports; adapters are chosen in a composition root (cli/, runtime/main.ts).',
  },
  {
    target: ['./runtime/roles/dispatcher'],
    from: ['./runtime/roles/worker', './runtime/roles/feeder', './runtime/roles/archiver'],
    message: 'Roles meet over the wire only.',
  },
  {
    target: ['./runtime/roles/worker'],
    from: ['./runtime/roles/dispatcher', './runtime/roles/feeder', './runtime/roles/archiver'],
    message: 'Roles meet over the wire only.',
  },
  {
    target: ['./runtime/roles/archiver'],
    from: ['./runtime/roles/dispatcher', './runtime/roles/worker', './runtime/roles/feeder'],
    message: 'Roles meet over the wire only.',
  },
  {
    target: ['./runtime/roles/feeder'],
    from: ['./runtime/roles/dispatcher', './runtime/roles/worker', './runtime/roles/archiver'],
    message: 'Roles meet over the wire only.',
  },
  {
    target: './runtime/config',
    from: ['./runtime', './resource', './operator'],
    except: [
      './config',
      './logging.ts',
      './roles/dispatcher/config.ts',
      './roles/worker/config.ts',
      './roles/feeder/config.ts',
      './roles/archiver/config.ts',
    ],
    message: 'Configuration is declared by schemas; it knows no role but by its declaration.',
  },
  {
    target: './schema',
    from: ['./runtime', './resource', './operator'],
    message: 'Schemas and their faults are for everybody: they know nobody.',
  },
  {
    target: './resource',
    from: ['./runtime', './operator'],
    message: 'The resource is what both the operator and the command read: it knows neither.',
  },
  {
    target: './runtime/domains/bank',
    from: './runtime/domains',
    except: ['./bank'],
    message: 'No domain imports another.',
  },
  {
    target: './operator',
    from: './runtime',
    message: 'The operator shares only proto, names and the CRD types.',
  },
  {
    target: ['./runtime', './resource', './schema'],
    from: './cli',
    message: 'The command is a composition root: nothing imports it.',
  },
];

export default tseslint.config(
  { ignores: ['node_modules/', 'coverage/', '.mini-platform/', '**/generated/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js'] })],
      'import-x/extensions': ['.ts', '.js'],
    },
    rules: {
      complexity: ['error', 10],
      'max-depth': ['error', 3],
      'max-params': ['error', 4],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // An empty catch says why in a comment; an empty function is a sink on purpose.
      '@typescript-eslint/no-empty-function': 'off',
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-restricted-paths': ['error', { zones, basePath: import.meta.dirname }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Configuration is declared and read in one place.' },
      ],
    },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'max-lines': 'off',
      'no-restricted-properties': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  prettier,
);
