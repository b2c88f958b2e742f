import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { invalidPlatforms } from '../test/helpers/invalid-platforms.ts';
import { formatFault, MAX_FILE_BYTES } from '../schema/documents.ts';
import { loadMiniPlatform } from './load.ts';

const HEAD = 'apiVersion: mini-platform.io/v1alpha1\nkind: MiniPlatform\nmetadata:\n  name: bank\n';

function faults(text: string): string[] {
  const loaded = loadMiniPlatform(text, 'p.yaml');
  return loaded.ok ? [] : loaded.faults.map(formatFault);
}

describe('a fault lies', () => {
  test('at the value', () => {
    expect(faults(`${HEAD}spec:\n  worker:\n    replicas: three\n`)).toEqual([
      'p.yaml:7:15: spec.worker.replicas: must be a whole number from 0 to 100, but is "three"',
    ]);
  });

  test('at the key of an unknown field', () => {
    expect(faults(`${HEAD}spec:\n  worker:\n    replica: 3\n`)).toEqual([
      'p.yaml:7:5: spec.worker.replica: is not a known field (its value: 3); did you mean "replicas"?',
    ]);
  });

  test('at the parent of what is missing', () => {
    expect(faults(`${HEAD}spec:\n  feeder:\n    source:\n      key: list.txt\n`)[0]).toMatch(
      /^p\.yaml:7:5: spec\.feeder\.source\.bucket: is missing/,
    );
    expect(faults('# nothing else\nkind: MiniPlatform\n').map((fault) => fault.slice(0, 11))).toEqual([
      'p.yaml:2:1:',
      'p.yaml:2:1:',
    ]);
  });

  test('at the key whose value was left out', () => {
    const text = `${HEAD}spec:\n  feeder:\n    source:\n      bucket: fraud\n      key:\n`;
    expect(faults(text)[0]).toMatch(/^p\.yaml:9:7: spec\.feeder\.source\.key: is missing/);
  });

  test('at the item of a list, and at the key of a map that stands below it', () => {
    expect(faults(`${HEAD}spec:\n  domains:\n    - bank\n    - Orders\n  redis:\n    tls: true\n`)).toEqual([
      expect.stringMatching(/^p\.yaml:8:7: spec\.domains\[1\]: must be 1 to 40 characters/),
      'p.yaml:9:3: spec.redis: must have exactly one of url and sentinels',
    ]);
    expect(faults(`${HEAD}spec:\n  redis:\n    tls: true\n`)).toEqual([
      'p.yaml:6:3: spec.redis: must have exactly one of url and sentinels',
    ]);
  });

  test('where an alias is used from, at the anchor', () => {
    const text = `${HEAD}spec:\n  dispatcher: {resources: &r {limits: {cpu: x}}}\n  worker:\n    resources: *r\n`;
    expect(faults(text).map((fault) => fault.split(':').slice(1, 4).join(':'))).toEqual([
      '6:45: spec.dispatcher.resources.limits.cpu',
      '6:45: spec.worker.resources.limits.cpu',
    ]);
  });

  test('in order of lines, all of them', () => {
    const text = `${HEAD}spec:\n  paused: 1\n  archiver: {replicas: 99}\n  domains: []\n  foo: 1\n`;
    expect(faults(text).map((fault) => fault.split(':')[1])).toEqual(['6', '7', '8', '9']);
  });
});

describe('a text that is no platform', () => {
  test.each([
    ['empty', '', 'p.yaml:1:1: is empty; it must hold one MiniPlatform'],
    ['only comments', '# later\n', 'p.yaml:1:1: is empty; it must hold one MiniPlatform'],
    ['a list', '- a\n', 'p.yaml:1:1: must be a map with apiVersion, kind, metadata, but is a list of 1 item'],
    ['a text', 'bank', 'p.yaml:1:1: must be a map with apiVersion, kind, metadata, but is a text'],
    [
      'two documents',
      `${HEAD}---\n${HEAD}`,
      'p.yaml:5:1: a second document begins here; the file must hold one MiniPlatform',
    ],
    ['a key twice', `${HEAD}kind: MiniPlatform\n`, 'p.yaml:5:1: kind: occurs twice in one map'],
    [
      'an alias without anchor',
      `${HEAD}spec: *nowhere\n`,
      'p.yaml:5:7: cannot be read: an alias without an anchor before it',
    ],
    [
      'a tag',
      `${HEAD}spec: !secret {}\n`,
      'p.yaml:5:7: is not valid YAML: tags are not known here; put the text in quotes',
    ],
    ['an open bracket', 'a: [1\nb: 2\n', expect.stringMatching(/^p\.yaml:2:1: is not valid YAML: /)],
    [
      'too much',
      '#'.repeat(MAX_FILE_BYTES + 1),
      'p.yaml:1:1: is too large: at most 131072 bytes are allowed',
    ],
    ['deep nesting', '['.repeat(100_000), expect.stringMatching(/is nested too deeply|is not valid YAML/)],
  ])('%s', (_, text, message) => {
    expect(faults(text)[0]).toEqual(message);
  });

  test('aliases that unfold without end', () => {
    const unfolding = ['b', 'c', 'd', 'e'].map((name, index) => {
      const aliases = Array.from({ length: 9 }, () => `*${'abcd'.charAt(index)}`);
      return `${name}: &${name} [${aliases.join(', ')}]`;
    });
    expect(faults(`a: &a [x, x]\n${unfolding.join('\n')}\n`)).toEqual([
      expect.stringContaining('cannot be read: Excessive'),
    ]);
    expect(faults(`${HEAD}spec: &s {worker: *s}\n`)).toEqual([
      'p.yaml:5:19: cannot be read: an alias of itself',
    ]);
  });
});

describe('what YAML offers', () => {
  test.each([
    ['a byte order mark and CRLF', `\uFEFF${HEAD}`.replaceAll('\n', '\r\n')],
    [
      'JSON',
      '{"apiVersion": "mini-platform.io/v1alpha1", "kind": "MiniPlatform", "metadata": {"name": "bank"}}',
    ],
    ['anchors and aliases', `${HEAD}spec: {s3: {secret: &s {name: a}}, kafka: {authSecret: *s}}\n`],
    ['merge keys', `${HEAD}spec: {s3: {secret: &s {name: a}}, kafka: {authSecret: {<<: *s}}}\n`],
  ])('%s', (_, text) => {
    expect(faults(text)).toEqual([]);
  });
});

const examples = new URL('../examples/', import.meta.url);

test.each(readdirSync(examples).filter((file) => file.endsWith('.yaml')))('examples/%s is valid', (file) => {
  expect(faults(readFileSync(new URL(file, examples), 'utf8'))).toEqual([]);
});

test('whatever the text, it loads or has faults that lie within it', () => {
  const lines = fc.array(
    fc.constantFrom(...HEAD.split('\n'), 'spec:', '  worker:', '    replicas: x', '- a', '&a *a', '?'),
  );
  const broken = fc.tuple(
    fc.constantFrom(...invalidPlatforms),
    fc.nat(),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.jsonValue().map((value) => JSON.stringify(value, undefined, 1)),
    lines.map((some) => some.join('\n')),
    broken.map(
      ([{ yaml }, at, inserted]) => yaml.slice(0, at % yaml.length) + inserted + yaml.slice(at % yaml.length),
    ),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const loaded = loadMiniPlatform(text, 'p.yaml');
      const found = loaded.ok ? [] : loaded.faults;
      expect(loaded.ok || found.length > 0).toBe(true);
      const count = text.split('\n').length;
      expect(found.filter(({ line, column }) => line < 1 || line > count || column < 1)).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
