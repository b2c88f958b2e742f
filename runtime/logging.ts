import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

export type LogFormat = 'pretty' | 'json';
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Makes the process's logger. Logs go to standard error: standard output is for what a command prints. */
export function createLogger(format: LogFormat, level: LogLevel): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ['token', 'password', 'secret', '*.token', '*.password', '*.secret'],
      censor: '[redacted]',
    },
  };
  if (format === 'json') return pino(options, pino.destination({ fd: 2, sync: true }));
  const destination = pretty({
    destination: 2,
    sync: true,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    colorize: process.stderr.isTTY,
  });
  return pino(options, destination);
}
