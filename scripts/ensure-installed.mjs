// Runs before `npm start`, `npm test` and the other scripts, on whatever Node the machine has, with nothing
// installed: it installs the locked dependencies (Node 24 is one of them) when they are absent or outdated.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const stamp = path.join(root, 'node_modules', '.installed-lock');
const node = path.join(root, 'node_modules', '.bin', 'node');

const wanted = createHash('sha256')
  .update(readFileSync(path.join(root, 'package-lock.json')))
  .digest('hex');
const installed = existsSync(stamp) && existsSync(node) ? readFileSync(stamp, 'utf8') : '';

if (installed !== wanted) {
  process.stderr.write('Installing the locked dependencies (npm ci); this happens once ...\n');
  try {
    // Output goes to standard error: what a script prints on standard output stays the script's own.
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    });
  } catch {
    process.stderr.write(
      'npm ci failed. Check that the npm registry can be reached and that this folder is writable, then try again.\n',
    );
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}
