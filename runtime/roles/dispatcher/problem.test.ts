import { describe, expect, test } from '@jest/globals';
import type { FastifyError } from 'fastify';
import { type ErrorCode, ERRORS, PlatformError } from '../../errors.ts';
import { problemDocument, toPlatformError } from './problem.ts';

function fastifyError(code: string, more: Partial<FastifyError> = {}): FastifyError {
  return Object.assign(new Error(`what Fastify says of ${code}`), { name: 'FastifyError', code, ...more });
}

describe('a problem document', () => {
  test.each(Object.keys(ERRORS) as ErrorCode[])('of %s says all that the registry knows', (code) => {
    const { title, http, remedy } = ERRORS[code];
    expect(problemDocument(code, 'what happened', { id: 'e1' })).toEqual({
      type: `urn:mini-platform:error:${code}`,
      title,
      status: http,
      code,
      detail: 'what happened',
      remedy,
      id: 'e1',
    });
  });
});

describe('what was thrown', () => {
  test('by the platform stays as it is', () => {
    const error = new PlatformError('NOT_ATTEMPTED', 'busy');
    expect(toPlatformError(error)).toBe(error);
  });

  test.each([
    ['FST_ERR_CTP_BODY_TOO_LARGE', 'BODY_TOO_LARGE'],
    ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'UNSUPPORTED_MEDIA_TYPE'],
    ['FST_ERR_CTP_EMPTY_JSON_BODY', 'BODY_NOT_JSON'],
    ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'MALFORMED_HTTP'],
    ['FST_ERR_BAD_URL', 'MALFORMED_HTTP'],
    ['FST_ERR_MAX_PARAM_LENGTH', 'INVALID_REQUEST'],
    // A client that goes away while it sends its body is no defect of the platform, and no news for its log.
    ['ECONNRESET', 'MALFORMED_HTTP'],
  ])('by Fastify as %s is %s', (thrown, code) => {
    const error = fastifyError(thrown);
    expect(toPlatformError(error)).toMatchObject({ code, cause: error });
  });

  test('by the JSON parser is the client’s', () => {
    const error = Object.assign(new SyntaxError('Unexpected token'), { code: '', statusCode: 400 });
    expect(toPlatformError(error)).toMatchObject({ code: 'BODY_NOT_JSON' });
  });

  test.each([
    ['an unknown code', fastifyError('FST_ERR_NEW', { statusCode: 400 })],
    ['a defect', fastifyError('', { message: 'secret' })],
    ['a syntax error of our own', Object.assign(new SyntaxError('secret'), { code: '' })],
  ])('as %s is a defect, without its message', (_what, error) => {
    expect(toPlatformError(error)).toMatchObject({ code: 'INTERNAL', message: 'an unexpected error' });
  });

  test('by validation names every fault', () => {
    const error = fastifyError('FST_ERR_VALIDATION', {
      validationContext: 'querystring',
      validation: [
        { instancePath: '/limit', keyword: 'pattern', params: {}, schemaPath: '', message: 'must match' },
        {
          instancePath: '',
          keyword: 'additionalProperties',
          params: { additionalProperty: 'x' },
          schemaPath: '',
        },
        { instancePath: '/kind', keyword: 'enum', params: { allowedValues: ['A', 'B'] }, schemaPath: '' },
      ],
    });
    const { code, message, members } = toPlatformError(error);
    expect([code, message]).toEqual([
      'INVALID_REQUEST',
      'querystring/limit has characters, or an order of them, that are not allowed',
    ]);
    expect(members['errors']).toEqual([
      expect.objectContaining({ in: 'querystring', pointer: '/limit' }),
      { in: 'querystring', pointer: '', detail: 'has the unknown field x' },
      { in: 'querystring', pointer: '/kind', detail: 'must be one of ["A","B"]' },
    ]);
  });
});
