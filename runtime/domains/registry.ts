import type { Domain } from '../domain-kit/domain.ts';
import { bank } from './bank/index.ts';

/** Every domain of this build, by the name that `spec.domains` uses. Adding one is a folder and a line here. */
export const DOMAINS: readonly Domain[] = [bank];
