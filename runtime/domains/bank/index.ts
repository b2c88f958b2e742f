import type { Domain } from '../../domain-kit/domain.ts';
import { LONG_TERM_STORAGE } from '../../domain-kit/event.ts';
import { operations } from './definitions.ts';
import { serveBank } from './operations.ts';
import { routes } from './routes.ts';
import { collections } from './store.ts';

/** A bank: transactions between clients, deposits and withdrawals at branches, with a fraud list. */
export const bank: Domain = {
  name: 'bank',
  operations,
  collections,
  topics: [{ name: LONG_TERM_STORAGE, partitions: 4, compacted: false }],
  routes,
  serve: serveBank,
};
