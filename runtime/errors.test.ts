import { describe, expect, test } from '@jest/globals';
import { type ErrorCode, type ErrorEntry, ERRORS, isErrorCode, PlatformError } from './errors.ts';

const entries = Object.entries(ERRORS) as [ErrorCode, ErrorEntry][];

/** HTTP statuses that ask for the same request again later (RFC 9110, RFC 6585). */
const RETRYABLE_STATUSES = [408, 429, 503, 504];

describe.each(entries)('%s', (code, { http, grpc, retryable, title, remedy }) => {
  test('has a name that is stable and a status of an error', () => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(Number.isInteger(http) && http >= 400 && http <= 599).toBe(true);
  });

  test('says what happened and what to do', () => {
    expect(title.trim()).not.toBe('');
    expect(title).not.toMatch(/\.$/);
    expect(remedy.trim()).not.toBe('');
    expect(remedy).toMatch(/\.$/);
  });

  test('is retryable where its status is', () => {
    expect(retryable).toBe(RETRYABLE_STATUSES.includes(http));
    if (grpc === 'UNAVAILABLE') expect(retryable).toBe(true);
  });

  test('blames the client or the platform alike over HTTP and gRPC', () => {
    const isPlatforms = ['UNAVAILABLE', 'INTERNAL'].includes(grpc);
    expect(http >= 500).toBe(isPlatforms);
  });
});

describe('a code', () => {
  test('is known by its text, and nothing else is', () => {
    for (const [code] of entries) expect(isErrorCode(code)).toBe(true);
    for (const text of ['', 'nothing', 'toString', '__proto__', 'not_found']) {
      expect(isErrorCode(text)).toBe(false);
    }
  });

  test('travels in an error, with what is to be told and the cause', () => {
    const cause = new Error('below');
    const error = new PlatformError('NOT_FOUND', 'gone', { id: 'e1' }, { cause });
    expect(error).toMatchObject({
      name: 'PlatformError',
      code: 'NOT_FOUND',
      message: 'gone',
      members: { id: 'e1' },
      cause,
    });
    expect(error).toBeInstanceOf(Error);
  });
});
