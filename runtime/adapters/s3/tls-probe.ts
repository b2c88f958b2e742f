import { connect } from 'node:tls';

const PROBE_MS = 500;

/** Whether the server at an `http://` address speaks TLS in truth: such a one closes what begins without it, unsaid. */
export function speaksTls(endpoint: string): Promise<boolean> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve) => {
    // Nothing is sent, so that it does not matter here whose certificate it is.
    const socket = connect({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? 80 : Number(port),
      rejectUnauthorized: false,
    });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('secureConnect', () => end(true));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.setTimeout(PROBE_MS, () => end(false));
  });
}
