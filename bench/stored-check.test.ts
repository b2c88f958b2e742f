import { expect, test } from '@jest/globals';
import { differenceOf } from './stored-check.ts';

test.each([
  { name: 'nothing', stored: ['b', 'a'], faults: [] },
  { name: 'a lost one', stored: ['a'], faults: ['1 transactions were answered 201 and are not stored'] },
  { name: 'a doubled one', stored: ['a', 'b', 'b'], faults: ['1 transactions are stored twice'] },
  {
    name: 'one too many',
    stored: ['a', 'b', 'x'],
    faults: ['1 transactions are stored and were not answered 201'],
  },
])('the check of what is stored finds $name', ({ stored, faults }) => {
  expect(differenceOf(['a', 'b'], stored)).toEqual(faults);
});
