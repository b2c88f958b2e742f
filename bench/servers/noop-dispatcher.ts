import { credentials, ServerCredentials } from '@grpc/grpc-js';
import { LoopbackMemberDirectory } from '../../runtime/adapters/static/membership.ts';
import { systemClock } from '../../runtime/clock.ts';
import { DEFAULT_LIMITS } from '../../runtime/link/protocol.ts';
import { createLogger } from '../../runtime/logging.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { Dispatcher } from '../../runtime/roles/dispatcher/dispatcher.ts';
import { noopDomain } from './noop-domain.ts';
import { report } from './report.ts';

const dispatcher: Dispatcher = new Dispatcher({
  domains: [noopDomain],
  directory: new LoopbackMemberDirectory(),
  httpHost: '127.0.0.1',
  httpPort: 0,
  joinHost: '127.0.0.1',
  joinPort: 0,
  serverCredentials: ServerCredentials.createInsecure(),
  channelCredentials: credentials.createInsecure(),
  maxMembers: 16,
  maxInFlight: 8_192,
  limits: DEFAULT_LIMITS,
  version: 'bench',
  roles: () => [dispatcher.readiness()],
  clock: systemClock,
  logger: createLogger('json', 'warn'),
  metrics: createMetrics(),
});
const { http, join } = await dispatcher.start();
report(`${http} ${join}`);
