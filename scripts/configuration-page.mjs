// The text of docs/configuration.md: what each role can be told, made of the declarations in runtime/roles/.
import { stringify } from 'yaml';
import { ROLE_CONFIGS } from '../runtime/config/roles.ts';
import { API_VERSION } from '../schema/api-version.ts';
import { demand } from '../schema/phrases.ts';
import { table } from './table.mjs';

const HEAD = ['Field', 'What is allowed', 'Default', 'From the resource', 'Meaning'];

/** @param {string} mark the line that says that the page is generated */
export function configurationPage(mark) {
  const roles = Object.entries(ROLE_CONFIGS);
  return `${mark}

# Configuration of the roles

A role that runs as a process of its own reads one YAML file. It is checked as a whole before anything is started: every
fault is reported with file, line, field, value and what is allowed, and a file with a fault starts nothing. To check
files without running anything (it takes MiniPlatforms too, and several documents in one file):

\`\`\`sh
npx mini-platform check dispatcher.yaml worker.yaml
\`\`\`

- Durations are a whole number and a unit: \`500ms\`, \`30s\`, \`5m\`, \`24h\`.
- Servers listen on 127.0.0.1 unless the file says otherwise.
- A secret is never written into the file: a field whose name ends in \`File\` names a file that holds it, and nothing else.
  Files are named by their whole path. What stands in such a field is never shown in a fault.
- A field that is \`null\` counts as absent. A field without a default has to be given, unless it is optional.
- "From the resource" is the field of the MiniPlatform that the operator and \`mini-platform up\` make it from. Bounds and
  defaults are the same there, but that a port may be 0 here.

To run a role, with health and metrics on their own port (a file with a fault, a secret that is not there, or a service that
refuses ends it with exit code 78 and a line that says what to mend; a service that is away is waited for):

\`\`\`sh
npx mini-platform run dispatcher --config dispatcher.yaml    # also: worker, feeder, archiver
\`\`\`

Until join and link are encrypted, \`join.host\`, \`link.host\` and the hosts of \`dispatchers\` must be 127.0.0.1 or localhost.

In \`mini-platform up\` all roles run in one process, configured by the resource and by flags; there is no such file.

${roles.map(([role, declared]) => rolePage(role, declared)).join('\n')}
${storesPage(roles.map(([, { fields }]) => fields.properties.stores))}`;
}

function rolePage(role, declared) {
  const { kind, fields } = declared;
  const { stores, ...own } = fields.properties;
  const used = Object.keys(stores.properties).map((name) => `\`${name}\``);
  return `## ${role}

${fields.description}

\`\`\`yaml
${stringify({ apiVersion: API_VERSION, kind, ...example(fields) }, { lineWidth: 0 }).trimEnd()}
\`\`\`

${table(HEAD, rows({ ...fields, properties: own }, ''))}

Under \`stores\`: ${used.join(', ')}; see [stores](#stores).
`;
}

function storesPage(sections) {
  const stores = Object.assign({}, ...sections.map(({ properties }) => properties));
  return `## stores

Each role that uses a store must be told where it is; what several roles use, they must be told alike.

${table(HEAD, rows({ properties: stores, required: Object.keys(stores) }, 'stores.'))}
`;
}

/** A row for each field, and for each map before its fields. */
function rows({ properties, required = [] }, prefix) {
  return Object.entries(properties).flatMap(([name, schema]) => [
    [
      `\`${prefix}${name}\``,
      allowed(schema),
      defaultOf(schema, required.includes(name)),
      schema['x-source'] === undefined ? '' : `\`${schema['x-source']}\``,
      schema.description,
    ],
    ...(schema.properties === undefined ? [] : rows(schema, `${prefix}${name}.`)),
  ]);
}

function allowed(schema) {
  const phrase = demand(schema).replace(/^must be /, '');
  return schema.items === undefined ? phrase : `${phrase}, none twice, each ${allowed(schema.items)}`;
}

function defaultOf(schema, isRequired) {
  if (isRequired) return 'must be given';
  if (schema.default === undefined) return 'optional';
  if (schema.properties !== undefined) return '';
  return `\`${typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default)}\``;
}

/** Every field with its default, or with the example that its declaration has; optional ones without are left out. */
function example({ properties }) {
  const fields = Object.entries(properties).map(([name, schema]) => [
    name,
    schema.properties === undefined ? (schema.example ?? schema.default) : example(schema),
  ]);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}
