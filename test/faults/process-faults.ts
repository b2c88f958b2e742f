import type { RoleKind } from '../helpers/role-processes.ts';
import type { Fault } from './fault.ts';
import type { Topology } from './topology.ts';

/** One of the role's processes is killed, and started again at once. */
function killOne(kind: RoleKind): Fault<Pick<Topology, 'roles'>> {
  return {
    name: `kill-${kind}`,
    what: `kill -9 of one ${kind}, which is started again at once`,
    holdMs: [0, 0],
    async inject({ roles }, random) {
      const role = random.pick(roles.filter((each) => each.kind === kind));
      await role.kill();
      return () => {
        role.spawn();
        return Promise.resolve();
      };
    },
  };
}

export const PROCESS_FAULTS = (['dispatcher', 'worker', 'feeder', 'archiver'] as const).map(killOne);
