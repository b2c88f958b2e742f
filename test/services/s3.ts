import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { makeCertificates } from './certificates.ts';
import { DataFolder } from './data-folder.ts';
import { freePort } from './free-port.ts';
import { goProgram } from './go-program.ts';
import { type Server, ServerProcess, takesConnections } from './server-process.ts';
import { run } from './tools.ts';

export interface S3ServerOptions {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Whether it takes TLS, and nothing else. */
  readonly tls?: boolean;
  /** A free one when absent. */
  readonly port?: number;
}

export interface S3Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An S3 on loopback, with path-style addresses: versitygw on a folder. */
export interface S3Server extends Server, S3Key {
  readonly port: number;
  /** As host:port. */
  readonly address: string;
  readonly endpoint: string;
  /** The authority to trust, in PEM; undefined without TLS. */
  readonly ca: string | undefined;
  /** Adds somebody who may not make buckets, and may do nothing in those of others. */
  addUser(key: S3Key): Promise<void>;
}

const VERSION = '1.8.0';

function versitygw(): Promise<string> {
  return goProgram({
    name: 'versitygw',
    version: VERSION,
    package: 'github.com/versity/versitygw/cmd/versitygw',
    takes: '1 minute',
  });
}

/** Builds what is needed, if it is not there yet. Throws ServiceUnavailable where that cannot be. */
export async function ensureS3(): Promise<void> {
  await versitygw();
}

/** Starts an S3 of the caller's own. Throws ServiceUnavailable where it cannot be had. */
export async function startS3(options: S3ServerOptions = {}): Promise<S3Server> {
  const program = await versitygw();
  const data = await DataFolder.create('s3');
  try {
    return await start(program, data, options);
  } catch (error) {
    await data.remove();
    throw error;
  }
}

async function start(program: string, data: DataFolder, options: S3ServerOptions): Promise<S3Server> {
  const { accessKeyId = 'test-key', secretAccessKey = 'test-secret', port = await freePort() } = options;
  const certificates = options.tls === true ? await makeCertificates(data.path) : undefined;
  const tls =
    certificates === undefined ? [] : ['--cert', certificates.certFile, '--key', certificates.keyFile];
  const [objects, users] = [path.join(data.path, 'objects'), path.join(data.path, 'users')];
  await Promise.all([mkdir(objects), mkdir(users)]);
  const address = `127.0.0.1:${port}`;
  const endpoint = `${certificates === undefined ? 'http' : 'https'}://${address}`;
  const login = { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey };
  const server = await ServerProcess.start({
    name: `versitygw on port ${port}`,
    command: [
      program,
      '--port',
      address,
      '--iam-dir',
      users,
      '--quiet',
      '--keep-alive',
      ...tls,
      'posix',
      objects,
    ],
    env: login,
    cwd: data.path,
    logFile: path.join(data.path, 's3.log'),
    serves: () => takesConnections(port),
  });
  return {
    port,
    address,
    endpoint,
    accessKeyId,
    secretAccessKey,
    ca: certificates?.ca,
    async addUser(key) {
      const admin = [
        'admin',
        '--access',
        accessKeyId,
        '--secret',
        secretAccessKey,
        '--endpoint-url',
        endpoint,
      ];
      const user = ['--access', key.accessKeyId, '--secret', key.secretAccessKey, '--role', 'user'];
      await run(program, [...admin, '--allow-insecure', 'create-user', ...user]);
    },
    folder: data.path,
    get pids() {
      return server.pids;
    },
    kill: () => server.kill(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    async stop() {
      await server.kill();
      await data.remove();
    },
  };
}
