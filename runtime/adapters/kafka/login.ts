import { authenticate } from './client-library.ts';
import type { KafkaConnection } from './connection.ts';
import { CODES } from './error-codes.ts';
import { KafkaFailure, refused } from './failure.ts';
import type { KafkaRequest } from './requests.ts';
import { showAddress } from './socket.ts';

/** Who to log in as, and how. */
export interface SaslOptions {
  readonly mechanism: 'SCRAM-SHA-512' | 'SCRAM-SHA-256' | 'PLAIN';
  readonly username: string;
  readonly password: string;
}

const SECRET = 'spec.kafka.authSecret (usernameFile, passwordFile)';
/** The part of a login's life after which a connection is replaced; the broker ends one that outlives it. */
const RENEW_AFTER = 0.8;

interface LoginAnswer {
  readonly errorCode?: number;
  readonly enabledMechanisms?: readonly string[];
}

/**
 * Logs in on a new connection. Rejects with `refused` where the broker refuses; what it says beside its code is not
 * passed on.
 */
export async function login(
  connection: KafkaConnection,
  sasl: SaslOptions,
  timeoutMs: number,
): Promise<void> {
  // The library reports everything as a failed login, a lost connection too: what was it really?
  let cause: KafkaFailure | undefined;
  const remember = (failure: KafkaFailure): never => {
    cause = failure;
    throw failure;
  };
  const { host, port } = connection.address;
  try {
    const lifetimeMs = await authenticate(
      {
        host,
        port,
        sasl: { ...sasl },
        send: async ({ request, response }) => {
          const raw: KafkaRequest<unknown> = {
            ...request,
            name: 'the login',
            flexible: false,
            encode: async () => [(await request.encode()).buffer],
            decode: (body) => response.decode(body),
          };
          const answer = await connection
            .send(() => raw, timeoutMs)
            .catch((error: unknown) => {
              if (error instanceof KafkaFailure) return remember(error);
              throw error;
            });
          const failure = judge(answer as LoginAnswer, sasl, showAddress(connection.address));
          if (failure !== undefined) remember(failure);
          return response.parse(answer);
        },
      },
      connection.versions,
    );
    if (lifetimeMs > 0) connection.expiresAt = performance.now() + lifetimeMs * RENEW_AFTER;
  } catch {
    const where = showAddress(connection.address);
    throw cause ?? refused(`the login at ${where} by ${sasl.mechanism} failed: check ${SECRET}`);
  }
}

function judge(answer: LoginAnswer, { mechanism }: SaslOptions, where: string): KafkaFailure | undefined {
  const { errorCode = 0, enabledMechanisms = [] } = answer;
  switch (errorCode) {
    case 0:
      return undefined;
    case CODES.unsupportedSaslMechanism:
      return refused(
        `${where} does not let anybody log in by ${mechanism}, but by ${enabledMechanisms.join(', ')}: set spec.kafka.saslMechanism`,
      );
    case CODES.illegalSaslState:
      return refused(
        `${where} takes no login: remove spec.kafka.authSecret, or name a SASL listener in spec.kafka.brokers`,
      );
    case CODES.saslAuthenticationFailed:
      return refused(`${where} refuses the login by ${mechanism}: check user and password in ${SECRET}`);
    default:
      return refused(
        `${where} refuses the login by ${mechanism} (Kafka's error ${errorCode}): check ${SECRET}`,
      );
  }
}
