import { describe, expect, test } from '@jest/globals';
import { PortError } from '../../ports/port-error.ts';
import { Failure, failureOf, portErrorOf } from './failure.ts';

const where = {
  server: 'redis.example:6379',
  settings: { address: 'spec.redis.url', tls: 'spec.redis.url (rediss://)' },
};

function answer(message: string): Error {
  // As the client library does it: with what was sent.
  return Object.assign(new Error(message), {
    name: 'ReplyError',
    command: { name: 'hello', args: ['3', 'AUTH', 'default', 'my secret'] },
  });
}

function codeError(code: string): Error {
  return Object.assign(new Error(`read ${code}`), { code, syscall: 'read' });
}

describe('what stands in the way', () => {
  test.each([
    ['WRONGPASS invalid username-password pair or user is disabled.', 'refused', 'spec.redis.secret'],
    ['NOAUTH Authentication required.', 'refused', 'set spec.redis.secret'],
    ["NOPERM this user has no permissions to run the 'evalsha' command", 'refused', '+evalsha'],
    ['ERR unknown command `SMISMEMBER`, with args beginning with: `ann`', 'refused', 'Redis 6.2'],
    ['ERR DB index is out of range', 'refused', 'spec.redis.url'],
    ['MOVED 3999 127.0.0.1:6381', 'refused', 'Cluster'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'invalid', 'same keys'],
    ['ERR Error running script (call to f_1): @user_script:8: WRONGTYPE Operation', 'invalid', 'same keys'],
    ['READONLY You can not write against a read only replica.', 'unavailable', 'replica'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'unavailable', 'maxmemory'],
    ['NOREPLICAS Not enough good replicas to write.', 'unavailable', 'replicas'],
    ['MISCONF Redis is configured to save RDB snapshots', 'unavailable', 'disk'],
    ['LOADING Redis is loading the dataset in memory', 'unavailable', 'wait'],
    ['ERR something new', 'unavailable', 'ERR something new'],
  ])('by the answer %s', (message, kind, text) => {
    const failure = failureOf(answer(message), where);
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(where.server);
    expect(failure.message).toContain(text);
  });

  test.each([
    ['ENOTFOUND', 'unavailable', 'spec.redis.url'],
    ['ECONNREFUSED', 'unavailable', 'spec.redis.url'],
    ['EHOSTUNREACH', 'unavailable', 'spec.redis.url'],
    ['ECONNRESET', 'unavailable', 'lost'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'refused', 'spec.redis.url (rediss://)'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'refused', 'spec.redis.caSecret'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'refused', 'spec.redis.caSecret'],
    ['CERT_HAS_EXPIRED', 'refused', 'spec.redis.caSecret'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'refused', 'tls-auth-clients'],
  ])('by the code %s', (code, kind, text) => {
    const failure = failureOf(codeError(code), where);
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(where.server);
    expect(failure.message).toContain(code);
    expect(failure.message).toContain(text);
  });

  test('never bears what was sent', () => {
    const failure = failureOf(answer('ERR unknown command `X`, with args beginning with: `ann`'), where);
    const error = portErrorOf(failure, 'cache.apply');
    expect(error).toBeInstanceOf(PortError);
    expect(error).toMatchObject({ kind: 'refused', call: 'cache.apply' });
    expect(JSON.stringify([failure, error, String(failure), String(error)])).not.toMatch(/secret`|my|ann/);
    expect([failure.cause, (error as Error).cause]).toEqual([undefined, undefined]);
  });

  test('is said once: a failure passes as it is, and a defect is none', () => {
    const failure = new Failure('refused', 'no');
    expect(failureOf(failure, where)).toBe(failure);
    const defect = new TypeError('a defect');
    expect(portErrorOf(defect, 'cache.apply')).toBe(defect);
  });
});
