import path from 'node:path';
import { type Certificates, makeCertificates } from './certificates.ts';
import { DataFolder } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { goProgram } from './go-program.ts';
import { Postgres } from './postgres.ts';
import { type PostgresRoot, postgresRoot } from './postgres-root.ts';
import { type Server, ServerProcess, takesConnections } from './server-process.ts';

export interface MongoServerOptions {
  /** Who may log in; everybody may do everything without it. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Whether it takes TLS, and nothing else. */
  readonly tls?: boolean;
  /** A free one when absent. */
  readonly port?: number;
}

/** A server on loopback that speaks the MongoDB protocol: FerretDB on PostgreSQL with DocumentDB. No elections. */
export interface MongoServer extends Server {
  readonly port: number;
  /** As host:port. */
  readonly address: string;
  /** With user and password, if there are any. */
  readonly uri: string;
  /** The authority to trust, in PEM; undefined without TLS. */
  readonly ca: string | undefined;
}

interface Programs {
  readonly ferretdb: string;
  readonly postgres: PostgresRoot;
}

/** Builds what is needed, if it is not there yet. Throws ServiceUnavailable where that cannot be. */
export async function ensureMongo(): Promise<void> {
  await programs();
}

/** Starts one of the caller's own. Throws ServiceUnavailable where it cannot be had. */
export async function startMongo(options: MongoServerOptions = {}): Promise<MongoServer> {
  const built = await programs();
  const data = await DataFolder.create('mongodb');
  let postgres: Postgres | undefined;
  try {
    postgres = await Postgres.start(built.postgres, data.path, options.user);
    return await start(built.ferretdb, postgres, data, options);
  } catch (error) {
    await postgres?.kill();
    await data.remove();
    throw error;
  }
}

async function programs(): Promise<Programs> {
  // At the same time: one is made by the processor, the other one by the network.
  const building = [ferretdb(), postgresRoot()] as const;
  await Promise.allSettled(building);
  return { ferretdb: await building[0], postgres: await building[1] };
}

function ferretdb(): Promise<string> {
  return goProgram({
    name: 'ferretdb',
    version: '2.7.0',
    package: 'github.com/FerretDB/FerretDB/v2/cmd/ferretdb',
    takes: '1 minute',
  });
}

async function start(
  program: string,
  postgres: Postgres,
  data: DataFolder,
  options: MongoServerOptions,
): Promise<MongoServer> {
  const { port = await freePort(), user } = options;
  const certificates = options.tls === true ? await makeCertificates(data.path) : undefined;
  const address = `127.0.0.1:${port}`;
  const login =
    user === undefined ? 'postgres' : `${encodeURIComponent(user.name)}:${encodeURIComponent(user.password)}`;
  const server = await ServerProcess.start({
    name: `FerretDB on port ${port}`,
    command: [
      program,
      `--postgresql-url=postgres://${login}@/postgres?host=${encodeURIComponent(postgres.folder)}`,
      ...listening(address, certificates),
      ...(user === undefined ? ['--no-auth'] : []),
      '--debug-addr=-',
      `--state-dir=${data.path}`,
      '--telemetry=disable',
      '--log-level=WARN',
    ],
    cwd: data.path,
    logFile: path.join(data.path, 'ferretdb.log'),
    serves: () => takesConnections(port),
  });
  const kill = async (): Promise<void> => {
    await Promise.all([server.kill(), postgres.kill()]);
  };
  const credentials = user === undefined ? '' : `${login}@`;
  return {
    port,
    address,
    uri: `mongodb://${credentials}${address}/${certificates === undefined ? '' : '?tls=true'}`,
    ca: certificates?.ca,
    folder: data.path,
    get pids() {
      return [...server.pids, ...postgres.pids];
    },
    kill,
    async restart() {
      await kill();
      await postgres.restart();
      await server.restart();
    },
    // Clients see this one only.
    pause: () => server.pause(),
    resume: () => server.resume(),
    async stop() {
      await kill();
      await data.remove();
    },
  };
}

function listening(address: string, certificates: Certificates | undefined): readonly string[] {
  if (certificates === undefined) return [`--listen-addr=${address}`];
  return [
    '--listen-addr=',
    `--listen-tls=${address}`,
    `--listen-tls-cert-file=${certificates.certFile}`,
    `--listen-tls-key-file=${certificates.keyFile}`,
  ];
}
