import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NameReader, type RefusedLines } from './name-reader.ts';

interface Reading {
  readonly names: readonly string[];
  readonly refused: RefusedLines;
}

/** Reads a content that arrives in pieces, cut at these places. */
function read(content: string | Uint8Array, cuts: readonly number[] = []): Reading {
  const bytes = Buffer.from(content);
  const reader = new NameReader();
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const names = ends.flatMap((end, index) => [...reader.read(bytes.subarray(ends[index - 1] ?? 0, end))]);
  return { names: [...names, ...reader.end()], refused: reader.refused };
}

const refusedOf = (content: string | Uint8Array): readonly string[] =>
  read(content).refused.first.map(({ line, why, start }) => `${line}: ${why}: ${start}`);

describe('a fraud list', () => {
  test.each([
    ['ends with a newline', 'ann\nbob\n', ['ann', 'bob']],
    ['ends without one', 'ann\nbob', ['ann', 'bob']],
    ['has blank lines', '\n\nann\n  \n\t\nbob\n\n', ['ann', 'bob']],
    ['has white space around names', '  ann \t\n\u00a0bob\u3000\n', ['ann', 'bob']],
    ['has CRLF', 'ann\r\nAda Lovelace\r\n\r\n', ['ann', 'Ada Lovelace']],
    ['has a byte-order mark', '\ufeffann\nbob', ['ann', 'bob']],
    ['has a byte-order mark before a blank line', '\ufeff\nann', ['ann']],
    ['is empty', '', []],
    ['is white space', ' \n \r\n', []],
    ['has names twice', 'ann\nbob\nann', ['ann', 'bob', 'ann']],
    ['has other spellings', 'Zoe\u0308', ['Zo\u00eb']],
    ['has what looks like a comment: there are none', '# ann', ['# ann']],
  ])('may be one that %s', (_, content, names) => {
    const reading = read(content);
    expect(reading.names).toEqual(names);
    expect(reading.refused.count).toBe(0);
  });

  test('is without the lines that are no names, and these are told', () => {
    const bytes = Buffer.concat([
      Buffer.from('ann\n\u0007bell\nbob  b\ncar\u200bl\n'),
      Buffer.from('M\u00fcller\n', 'latin1'),
      Buffer.from([0xed, 0xa0, 0x80, 0x0a]),
      Buffer.from(`${'x'.repeat(129)}\na\tvery\tlong\tline\twith\ttabs\nzoe\n`),
    ]);
    expect(read(bytes).names).toEqual(['ann', 'zoe']);
    expect(read(bytes).refused).toMatchObject({ count: 7, undecodable: 2 });
    expect(refusedOf(bytes)).toEqual([
      '2: invisible character or white space: \\u{7}bell',
      '3: invisible character or white space: bob  b',
      '4: invisible character or white space: car\\u{200b}l',
      '5: not UTF-8: M\ufffdller',
      '6: not UTF-8: \ufffd\ufffd\ufffd',
      `7: too long: ${'x'.repeat(20)}`,
      '8: invisible character or white space: a\\u{9}very\\u{9}long\\u{9}line\\u{9}wit',
    ]);
  });

  test('tells the first ten lines only', () => {
    const { count, first } = read('a\tb\n'.repeat(1_000)).refused;
    expect([count, first.length, first.at(-1)?.line]).toEqual([1_000, 10, 10]);
  });

  test('keeps little of a line that does not end', () => {
    const reader = new NameReader();
    const piece = Buffer.alloc(64 * 1024, 'x');
    for (let count = 0; count < 100; count += 1) expect([...reader.read(piece)]).toEqual([]);
    expect([...reader.read(Buffer.from('x\nann\n')), ...reader.end()]).toEqual(['ann']);
    expect(reader.refused).toEqual({
      count: 1,
      undecodable: 0,
      first: [{ line: 1, why: 'too long', start: 'x'.repeat(20) }],
    });
  });

  test('may end within a line that is too long', () => {
    expect(read('x'.repeat(100_000), [70_000]).refused.count).toBe(1);
  });

  test('is read the same in whatever pieces it arrives', () => {
    const line = fc.oneof(
      fc.constantFrom('ann', 'Zo\u00eb', 'Zoe\u0308', '漢字', '🦊🦊', '', ' bob\r', 'a\tb', '\ufeffc'),
      fc.constantFrom('x'.repeat(200), 'é'.repeat(2_100), 'y'.repeat(9_000)),
      fc.string({ unit: 'binary', maxLength: 10 }),
    );
    const lines = fc.array(line, { maxLength: 60 }).map((all) => Buffer.from(all.join('\n')));
    const content = fc.oneof(lines, fc.uint8Array({ maxLength: 300 }));
    const cuts = fc.array(fc.nat(), { maxLength: 10 });
    const property = fc.property(content, cuts, (bytes, places) => {
      expect(read(bytes, places)).toEqual(read(bytes));
    });
    fc.assert(property, { numRuns: 300 });
  });
});
