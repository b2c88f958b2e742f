/** Where the services are that a test run shares. */
export interface Endpoints {
  readonly kafka: { readonly brokers: readonly string[] };
  readonly mongodb: { readonly uri: string };
  readonly redis: { readonly url: string };
  readonly s3: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
}

export type ServiceName = keyof Endpoints;

export type TestEndpoint<N extends ServiceName> =
  | ({ readonly ok: true } & Endpoints[N])
  | {
      readonly ok: false;
      /** For the name of the suite that is skipped. */
      readonly reason: string;
    };

/** In the name of each suite that is skipped because it lacks a service. */
export const NOT_TO_BE_HAD = 'is not to be had';

const FROM_ENVIRONMENT: { readonly [N in ServiceName]: () => Endpoints[N] | undefined } = {
  kafka() {
    const brokers = variable('TEST_KAFKA_BROKERS');
    return brokers === undefined ? undefined : { brokers: brokers.split(',') };
  },
  mongodb() {
    const uri = variable('TEST_MONGODB_URI');
    return uri === undefined ? undefined : { uri };
  },
  redis() {
    const url = variable('TEST_REDIS_URL');
    return url === undefined ? undefined : { url };
  },
  s3() {
    const endpoint = variable('TEST_S3_ENDPOINT');
    if (endpoint === undefined) return undefined;
    return {
      endpoint,
      accessKeyId: variable('TEST_S3_ACCESS_KEY_ID') ?? '',
      secretAccessKey: variable('TEST_S3_SECRET_ACCESS_KEY') ?? '',
    };
  },
};

export const SERVICE_NAMES = Object.keys(FROM_ENVIRONMENT) as readonly ServiceName[];

/** Where a test finds the service that the whole run shares, or why there is none. */
export function testEndpoint<N extends ServiceName>(name: N): TestEndpoint<N> {
  const endpoint = FROM_ENVIRONMENT[name]();
  if (endpoint !== undefined) return { ok: true, ...endpoint };
  const reason =
    variable(`TEST_${name.toUpperCase()}_UNAVAILABLE`) ?? 'no endpoint is given: use npm test -- PATH';
  return { ok: false, reason: `${name} ${NOT_TO_BE_HAD}: ${reason}` };
}

/** Whether a test can start servers of its own of this kind. */
export function ownServers(
  name: ServiceName,
): { readonly ok: true } | { readonly ok: false; readonly reason: string } {
  const reason = variable(`TEST_${name.toUpperCase()}_UNAVAILABLE`);
  return reason === undefined ? { ok: true } : { ok: false, reason: `${name} ${NOT_TO_BE_HAD}: ${reason}` };
}

function variable(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}
