import { expect, test } from '@jest/globals';
import { EmbeddedMembership } from './membership.ts';

test('a worker that starts again on another port is a member at the new address', async () => {
  const membership = new EmbeddedMembership();
  const seen: string[] = [];
  const members = membership.memberDirectory();
  members.watch({ added: ({ address }) => seen.push(address), removed: (uid) => seen.push(`-${uid}`) });
  membership.register('worker');
  const applicant = { uid: 'worker', bootId: 'first', port: 4_001, token: '' };
  await members.admit(applicant);
  await members.admit(applicant);
  await members.admit({ ...applicant, bootId: 'second', port: 4_002 });
  membership.register('worker');
  membership.unregister('worker');
  membership.unregister('worker');
  expect(seen).toEqual(['127.0.0.1:4001', '127.0.0.1:4002', '-worker']);
});
