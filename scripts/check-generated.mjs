// Fails when a generated file is not what `npm run generate` makes of the sources now. It generates in a copy, so
// that the working tree is neither changed nor has to be clean.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const LEFT_OUT = new Set(['.git', '.mini-platform', 'coverage', 'node_modules']);

const copy = mkdtempSync(path.join(tmpdir(), 'mini-platform-generated-'));
try {
  const differing = changedByGenerating();
  if (differing.length > 0) {
    process.stderr.write(
      `Out of date: ${differing.join(', ')}\nRun \`npm run generate\` and commit the result.\n`,
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** The paths, relative to the root, of the files that generating adds, changes or removes. */
function changedByGenerating() {
  cpSync(root, copy, { recursive: true, filter: (source) => !LEFT_OUT.has(path.basename(source)) });
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'junction');
  const before = contents();
  execFileSync(process.execPath, [path.join(copy, 'scripts', 'generate.mjs')], {
    cwd: copy,
    stdio: 'inherit',
  });
  const after = contents();
  const files = new Set([...before.keys(), ...after.keys()]);
  return [...files].filter((file) => before.get(file) !== after.get(file)).sort();
}

function contents() {
  const own = readdirSync(copy, { withFileTypes: true }).filter(({ name }) => name !== 'node_modules');
  const files = own
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(path.join(copy, entry.name), { recursive: true, withFileTypes: true })
        : entry,
    )
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [path.relative(copy, file), readFileSync(file, 'latin1')]));
}
