/** The roles that can be processes. */
export const ROLES = ['dispatcher', 'worker', 'feeder', 'archiver'] as const;
export type RoleName = (typeof ROLES)[number];
