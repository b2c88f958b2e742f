import { randomUUID } from 'node:crypto';
import {
  LoopbackMemberDirectory,
  StaticDispatcherDirectory,
} from '../../runtime/adapters/static/membership.ts';
import { chooseDomains, topicOf } from '../../runtime/compose/domains.ts';
import { createArchiver, createDispatcher, createFeeder, createWorker } from '../../runtime/compose/roles.ts';
import { roleStores, workerStores } from '../../runtime/compose/role-stores.ts';
import { ROLE_CONFIGS } from '../../runtime/config/roles.ts';
import { DOMAINS } from '../../runtime/domains/registry.ts';
import type { Readiness } from '../../runtime/lifecycle.ts';
import { readVersion } from '../../runtime/version.ts';
import { hostOf, requireLoopback } from './loopback.ts';
import { readRoleConfig } from './role-config-file.ts';
import type { RoleName } from './role-names.ts';
import type { RoleSetup } from './runnable-role.ts';

/** How each role becomes a process, from its configuration file. Throws a CommandError or a SetupError. */
export const ROLE_SETUPS: Readonly<Record<RoleName, (file: string) => RoleSetup>> = {
  dispatcher,
  worker,
  feeder,
  archiver,
};

function dispatcher(file: string): RoleSetup {
  const config = readRoleConfig(ROLE_CONFIGS.dispatcher, file);
  const { http, admin, join } = config;
  requireLoopback('join.host', join.host);
  const domains = chooseDomains('domains', config.domains);
  return {
    config,
    servers: { http, admin, join },
    create: (parts) => {
      const { services, logger, metrics } = parts;
      const roles = (): readonly Readiness[] => [role.readiness()];
      const role = createDispatcher(
        { domains, version: readVersion(), logger, metrics },
        {
          config,
          stores: () => roleStores(services, ['log', 'cache'], parts),
          directory: new LoopbackMemberDirectory(),
          roles,
          waitsFor: () => services.waitsFor(),
        },
      );
      return {
        lifecycle: role.lifecycle,
        readiness: () => role.readiness(),
        collect: () => role.collect(),
        start: async () => {
          const bound = await role.start();
          logger.info({ ...bound, admin: await role.serveAdmin(admin) }, 'the dispatcher serves');
          await role.prepared();
        },
        stop: (deadlineMs) => role.stop(deadlineMs),
      };
    },
  };
}

function worker(file: string): RoleSetup {
  const config = readRoleConfig(ROLE_CONFIGS.worker, file);
  const { link, dispatchers, uid = randomUUID() } = config;
  requireLoopback('link.host', link.host);
  dispatchers.forEach((address, index) => requireLoopback(`dispatchers[${index}]`, hostOf(address)));
  const domains = chooseDomains('domains', config.domains);
  return {
    config,
    servers: { link },
    create: (parts) => {
      const { services, logger, metrics } = parts;
      const context = { domains, version: readVersion(), logger, metrics };
      const stores = workerStores(services, parts);
      const directory = new StaticDispatcherDirectory(uid, dispatchers);
      return createWorker(context, { config, stores, directory, uid });
    },
  };
}

function feeder(file: string): RoleSetup {
  const config = readRoleConfig(ROLE_CONFIGS.feeder, file);
  return {
    config,
    servers: {},
    create: (parts) => {
      const role = createFeeder(parts, {
        config,
        stores: roleStores(parts.services, ['cache', 'objects'], parts),
      });
      return {
        lifecycle: role.lifecycle,
        readiness: () => role.readiness(),
        collect: () => role.collect(),
        start: async () => {
          role.start();
          await role.prepared();
        },
        stop: (deadlineMs) => role.stop(deadlineMs),
      };
    },
  };
}

function archiver(file: string): RoleSetup {
  const config = readRoleConfig(ROLE_CONFIGS.archiver, file);
  topicOf(DOMAINS, config.topic);
  return {
    config,
    servers: {},
    create: (parts) => {
      const stores = roleStores(parts.services, ['log', 'objects'], parts);
      return createArchiver({ ...parts, domains: DOMAINS }, { config, stores });
    },
  };
}
