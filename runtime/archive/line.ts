import { isUtf8 } from 'node:buffer';
import type { LogRecord } from '../ports/event-log.ts';

/** A record as it stands in the archive. */
export type ArchivedRecord = Omit<LogRecord, 'partition'>;

const LINE =
  /^\{"offset":(\d{1,19}),"timestamp":(-?\d{1,16}),"key":(null|"[^"\\]*(?:\\.[^"\\]*)*"),"value(Base64)?":(.+)\}$/s;

/**
 * A record as one line of JSON without its end: `{"offset":..,"timestamp":..,"key":..,"value":..}`. A value that is
 * JSON stands in it as its producer wrote it, digit by digit; only its line breaks become spaces. Any other value
 * is in `valueBase64`, and so is a value that reads `null`, which would be taken for one that is absent.
 */
export function encodeLine({ offset, timestamp, key, value }: LogRecord): string {
  const keyJson = key === null ? 'null' : JSON.stringify(key);
  const head = `{"offset":${offset.toString()},"timestamp":${timestamp},"key":${keyJson},`;
  if (value === null) return `${head}"value":null}`;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const json = oneLineJson(bytes);
  return json === undefined
    ? `${head}"valueBase64":"${bytes.toString('base64')}"}`
    : `${head}"value":${json}}`;
}

/** Reads what `encodeLine` wrote; undefined when it is not that. */
export function decodeLine(line: string): ArchivedRecord | undefined {
  const [, offset, timestamp, key, base64, value] = LINE.exec(line) ?? [];
  if (offset === undefined || key === undefined || value === undefined) return undefined;
  try {
    // The expression has seen to it that this is a string or null.
    const keyText = JSON.parse(key) as string | null;
    const parsed: unknown = JSON.parse(value);
    const bytes = base64 === undefined ? jsonBytes(parsed, value) : base64Bytes(parsed);
    if (bytes === undefined) return undefined;
    return { offset: BigInt(offset), timestamp: Number(timestamp), key: keyText, value: bytes };
  } catch {
    // No JSON, so no line of an archive.
    return undefined;
  }
}

/** The text of a value that is JSON, in one line; undefined for any other value, and for the value `null`. */
function oneLineJson(bytes: Buffer): string | undefined {
  // What is not UTF-8 would come back changed.
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  try {
    if (JSON.parse(text) === null) return undefined;
  } catch {
    return undefined;
  }
  // Within strings JSON has no line breaks, so these are mere white space.
  return text.includes('\n') ? text.replaceAll('\n', ' ') : text;
}

function jsonBytes(parsed: unknown, text: string): Uint8Array | null {
  return parsed === null ? null : Buffer.from(text);
}

function base64Bytes(parsed: unknown): Uint8Array | undefined {
  return typeof parsed === 'string' ? Buffer.from(parsed, 'base64') : undefined;
}
