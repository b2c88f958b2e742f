// Makes all that is generated from proto/ and crds/. The results are committed; `npm run check:generated` tells
// when they are out of date.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bin = path.join(root, 'node_modules', '.bin');
// buf looks for its plugins on the path.
const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}` };

run('buf', 'generate');
run('node', path.join('scripts', 'generate-resource-types.mjs'));
const docs = path.join('scripts', 'generate-docs.mjs');
if (existsSync(path.join(root, docs))) run('node', docs);

/** Runs a command of node_modules/.bin, and ends with its exit code if it fails. */
function run(command, ...args) {
  try {
    execFileSync(path.join(bin, command), args, {
      cwd: root,
      env,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
  } catch (error) {
    process.stderr.write(`${[command, ...args].join(' ')} failed\n`);
    process.exit(error.status ?? 1);
  }
}
