import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { textOf } from './failure.ts';
import type { Address } from './options.ts';

const PROBE_MS = 500;

// Neither end says that one speaks TLS and the other does not: without it a server waits for more of what it takes for
// a command, and with it it closes the connection. So that is looked for, once a connection has come to nothing.

/** Whether a server answers without TLS. */
export function answersWithoutTls(address: Address): Promise<boolean> {
  const socket = connectPlain(address, () => socket.write('PING\r\n'));
  return looked(socket, 'data', (answer) => /^[-+]/.test(String(answer)));
}

/** Whether a server speaks TLS. */
export function speaksTls(address: Address): Promise<boolean> {
  return looked(connectSilently(address), 'secureConnect', () => true);
}

/** Whether a server that speaks TLS asks for a certificate. It says so only to those who have not written meanwhile. */
export function asksForCertificate(address: Address): Promise<boolean> {
  const isAsked = (error: unknown): boolean =>
    textOf(error, 'code')?.includes('CERTIFICATE_REQUIRED') === true;
  return looked(connectSilently(address), 'error', isAsked);
}

/** Nothing is sent, so that it does not matter here whose certificate it is. */
function connectSilently(address: Address): Socket {
  return connectTls({ ...address, rejectUnauthorized: false });
}

function looked(socket: Socket, event: string, judge: (value: unknown) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on(event, (value: unknown) => end(judge(value)));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.setTimeout(PROBE_MS, () => end(false));
  });
}
