// Makes resource/generated/ from crds/miniplatforms.yaml: the schema as JSON, which is quick to load, and the
// TypeScript types of a MiniPlatform with defaults applied.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';
import { parse } from 'yaml';
import { withObjectMeta } from '../resource/schema.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const target = path.join(root, 'resource', 'generated');
const banner = 'Generated from crds/miniplatforms.yaml by `npm run generate`. Do not edit.';

const crd = parse(readFileSync(path.join(root, 'crds', 'miniplatforms.yaml'), 'utf8'));
const version = crd.spec.versions.find(({ name }) => name === 'v1alpha1');
// A round trip by JSON, because YAML aliases become shared objects.
const schema = JSON.parse(JSON.stringify(version.schema.openAPIV3Schema));

mkdirSync(target, { recursive: true });
writeFileSync(
  path.join(target, 'mini-platform.schema.json'),
  `${JSON.stringify({ $comment: banner, ...schema }, undefined, 2)}\n`,
);
writeFileSync(path.join(target, 'mini-platform.ts'), await types(schema));

/** @returns the text of the module with the types. */
async function types(crdSchema) {
  const { properties, ...whole } = withObjectMeta(crdSchema);
  const typed = { ...whole, properties: { ...properties, status: crdSchema.properties.status } };
  const text = await compile(typeSchema(typed, []), 'MiniPlatform', {
    bannerComment: `// ${banner}`,
    ignoreMinAndMaxItems: true,
    style: JSON.parse(readFileSync(path.join(root, '.prettierrc.json'), 'utf8')),
  });
  return text
    .replace(/^( +)(\w+\??|\[k: string\]): /gm, '$1readonly $2: ')
    .replace(/^( +readonly \w+\??: )(\w+\[\];)$/gm, '$1readonly $2');
}

/** A structural schema as the JSON schema of what is there after defaults: a field with a default always is. */
function typeSchema(structural, at) {
  const { description, type, properties, additionalProperties, items } = structural;
  const title = titleOf(at);
  const common = { ...(description && { description }), ...(structural.enum && { enum: structural.enum }) };
  if (structural['x-kubernetes-int-or-string']) return { ...common, type: ['integer', 'string'] };
  if (type === 'array') return { ...common, type, items: typeSchema(items, [...at, 'item']) };
  if (type !== 'object') return { ...common, type };
  const known = Object.entries(properties ?? {}).filter(
    ([, property]) => !property['x-kubernetes-preserve-unknown-fields'],
  );
  return {
    ...common,
    ...(title && { title }),
    type,
    properties: Object.fromEntries(
      known.map(([name, property]) => [name, typeSchema(property, [...at, name])]),
    ),
    required: known
      .filter(([name, { default: value }]) => structural.required?.includes(name) || value !== undefined)
      .map(([name]) => name),
    additionalProperties: additionalProperties ? typeSchema(additionalProperties, [...at, '*']) : false,
  };
}

/** The name of the type at a place; deeper ones stay inline. */
function titleOf(at) {
  const [field = '', role = '', item] = at;
  const pascal = (word) => word.charAt(0).toUpperCase() + word.slice(1);
  if (item === 'item') return pascal(role).replace(/s$/, '');
  if (at.length === 0 || (at.length === 1 && field !== 'metadata')) return `MiniPlatform${pascal(field)}`;
  return field === 'spec' && at.length === 2 ? `${pascal(role)}Spec` : undefined;
}
