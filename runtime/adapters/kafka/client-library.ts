import { createRequire } from 'node:module';

/**
 * The one place that reaches into kafkajs: its codecs of Kafka's messages, its SASL mechanisms and its encoding of
 * group assignments. Its own connections, retries, producer and consumer are not used (docs/decisions/0017).
 */
const load = createRequire(import.meta.url);

interface LibraryRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  encode(): Promise<{ readonly buffer: Buffer }>;
}

interface LibraryCall {
  readonly request: LibraryRequest;
  readonly response: { decode(payload: Buffer): Promise<unknown> };
}

interface LibraryApi {
  /** Versions that it knows, as strings. */
  readonly versions: readonly string[];
  protocol(options: { readonly version: number }): (parameters?: object) => LibraryCall;
}

const { requests } = load('kafkajs/src/protocol/requests/index.js') as {
  readonly requests: Readonly<Record<string, LibraryApi>>;
};
const apiKeys = load('kafkajs/src/protocol/requests/apiKeys.js') as Readonly<Record<string, number>>;

/** Messages of which the library's codec is used. */
export type LibraryMessage =
  | 'ApiVersions'
  | 'SaslHandshake'
  | 'SaslAuthenticate'
  | 'ListOffsets'
  | 'InitProducerId'
  | 'GroupCoordinator'
  | 'JoinGroup'
  | 'SyncGroup'
  | 'Heartbeat'
  | 'LeaveGroup'
  | 'OffsetCommit'
  | 'OffsetFetch'
  | 'CreateTopics'
  | 'DescribeConfigs';

/** Kafka's number of a message. */
export function keyOf(message: LibraryMessage): number {
  return apiKeys[message] ?? -1;
}

/** Versions of a message that the library knows. */
export function versionsOf(message: LibraryMessage): readonly number[] {
  return requests[message]?.versions.map(Number) ?? [];
}

/** A message in one version, ready to be sent. The answer is decoded, and not judged: error codes are left in it. */
export function libraryCall(message: LibraryMessage, version: number, parameters: object): LibraryCall {
  const api = requests[message];
  if (api === undefined) throw new Error(`the library has no ${message}`);
  return api.protocol({ version })(parameters);
}

/** What the library's mechanisms need of a connection. */
export interface SaslConnection {
  readonly host: string;
  readonly port: number;
  readonly sasl: { readonly mechanism: string; readonly username: string; readonly password: string };
  send(call: LibraryCall & LibraryParser): Promise<unknown>;
}

/** How the library reads an answer that says yes; on one that says no it throws. */
export interface LibraryParser {
  readonly response: { parse(decoded: unknown): Promise<unknown> };
}

type Authenticator = new (
  connection: SaslConnection,
  logger: object,
  versions: object,
  supportsSaslAuthenticate: boolean,
) => { readonly sessionLifetime: string; authenticate(): Promise<void> };

const SaslAuthenticator = load('kafkajs/src/broker/saslAuthenticator/index.js') as Authenticator;

const SILENT = { namespace: () => SILENT, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Logs in. Resolves to how long that lasts, in ms; 0: for ever. Rejects with an error of the library. */
export async function authenticate(connection: SaslConnection, versions: object): Promise<number> {
  const authenticator = new SaslAuthenticator(connection, SILENT, versions, true);
  await authenticator.authenticate();
  return Number(authenticator.sessionLifetime);
}

interface AssignerProtocol {
  readonly MemberMetadata: {
    encode(metadata: { version: number; topics: readonly string[] }): Buffer;
    decode(bytes: Buffer): { readonly topics: readonly string[] };
  };
  readonly MemberAssignment: {
    encode(options: { version: number; assignment: Readonly<Record<string, readonly number[]>> }): Buffer;
    decode(bytes: Buffer): { readonly assignment: Readonly<Record<string, readonly number[]>> } | null;
  };
}

/** How members of a group tell what they subscribe to, and are told what they get. */
export const { MemberMetadata, MemberAssignment } = load(
  'kafkajs/src/consumer/assignerProtocol.js',
) as AssignerProtocol;
