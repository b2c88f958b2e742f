import type { Socket } from 'node:net';
import type { ConnectionError } from 'fastify';
import { type ErrorCode, ERRORS } from '../../errors.ts';
import { problemDocument } from './problem.ts';

const PARSER_ERRORS: ReadonlyMap<string, ErrorCode> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 'REQUEST_TIMEOUT'],
  ['HPE_HEADER_OVERFLOW', 'HEADERS_TOO_LARGE'],
] as const);

/** Answers what Node's HTTP parser refused with a problem, on the bare socket, and closes it. */
export function answerBrokenHttp(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const code = PARSER_ERRORS.get(error.code) ?? 'MALFORMED_HTTP';
  const { http: status, title } = ERRORS[code];
  const body = JSON.stringify(problemDocument(code, 'the request could not be read'));
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
