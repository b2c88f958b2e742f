import { describe, expect, test } from '@jest/globals';
import { formatFault, readDocuments, readOneDocument } from './documents.ts';
import { faultAt } from './fault.ts';

function faults(text: string): string[] {
  return readDocuments(text, 'f.yaml').faults.map(formatFault);
}

describe('several documents', () => {
  test('each has its value and where it begins; empty ones are left out', () => {
    const { documents } = readDocuments('# head\n---\na: 1\n---\n---\n- b\n...\n---\nnull\n', 'f.yaml');
    expect(documents.map(({ value, start }) => ({ value, line: start.line }))).toEqual([
      { value: { a: 1 }, line: 2 },
      { value: ['b'], line: 5 },
    ]);
  });

  test('a fault has its line within the file', () => {
    const { documents } = readDocuments('a: 1\n---\nb:\n  - c: 2\n', 'f.yaml');
    const fault = faultAt('invalid', ['b', 0, 'c'], 2, 'is wrong');
    expect(documents[1]?.locate([fault]).map(formatFault)).toEqual(['f.yaml:4:8: b[0].c: is wrong']);
  });

  test('those that can be read are there beside the faults of the others', () => {
    const { documents, faults: found } = readDocuments('a: 1\na: 2\n---\nb: 1\n---\nc: *d\n', 'f.yaml');
    expect(documents.map(({ value }) => value)).toEqual([{ b: 1 }]);
    expect(found.map(formatFault)).toEqual([
      'f.yaml:2:1: a: occurs twice in one map',
      'f.yaml:6:4: cannot be read: an alias without an anchor before it',
    ]);
  });

  test('are one too many where one is asked for', () => {
    const read = readOneDocument('a: 1\n---\nb: 1\n', 'f.yaml', 'Thing');
    expect('value' in read ? [] : read.map(formatFault)).toEqual([
      'f.yaml:2:1: a second document begins here; the file must hold one Thing',
    ]);
  });
});

test('a fault without a place of its own lies where what it is about too is written', () => {
  const { documents } = readDocuments('a:\n  b: 1\n', 'f.yaml');
  const fault = { ...faultAt('invalid', ['c'], 2, 'differs'), others: [['d'], ['a', 'b']] };
  expect(documents[0]?.locate([fault]).map(formatFault)).toEqual(['f.yaml:2:6: c: differs']);
});

describe('a key twice', () => {
  test.each([
    ['in a map of a list', 'a:\n  - b: 1\n    b: 2\n', 'f.yaml:3:5: a[0].b: occurs twice in one map'],
    ['in a map in one line', 'a: {b: 1, b: 2}\n', 'f.yaml:1:11: a.b: occurs twice in one map'],
    ['in JSON', '{"a": {"b": 1, "b": 2}}', 'f.yaml:1:16: a.b: occurs twice in one map'],
  ])('%s', (_, text, message) => {
    expect(faults(text)).toEqual([message]);
  });
});

test.each([
  'a: !hunter2',
  'a: *hunter2',
  'a: &hunter2',
  'a: @hunter2',
  'a: |hunter2',
  'a: "hunter2',
  '%hunter2',
  '}hunter2',
  '- a\nhunter2',
  'a: b: hunter2',
  '? [hunter2',
  'a: "\\hunter2"',
  '---hunter2: 1\n---',
  '--- hunter2: x\na: 1',
])('a fault of the text does not repeat it: %s', (text) => {
  const found = faults(text);
  expect(found.join('\n')).not.toContain('hunter2');
});

test('no more faults of the text are told than help', () => {
  expect(faults('a: @b\n'.repeat(50))).toHaveLength(10);
});
