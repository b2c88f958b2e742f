import { isUtf8 } from 'node:buffer';
import type { LogRecord } from '../ports/event-log.ts';
import { isCompactJson } from './compact-json.ts';

/** A record as it stands in the archive. */
export type ArchivedRecord = Omit<LogRecord, 'partition'>;

const CLOSE_OBJECT = 0x7d;
const NEW_LINE = 0x0a;
/** More than the bytes of a line beside key and value: names, punctuation, the longest offset and timestamp. */
const FRAME = 128;
const LINE =
  /^\{"offset":(\d{1,19}),"timestamp":(-?\d{1,16}),"key":(null|"[^"\\]*(?:\\.[^"\\]*)*"),"value(Base64)?":(.+)\}$/s;

/** Bytes that a record's line takes at most. */
export function lineBound({ key, value }: LogRecord): number {
  // In JSON a character of the key may become six; in base64 three bytes become four.
  return FRAME + 6 * (key?.length ?? 0) + Math.ceil((value?.byteLength ?? 0) / 3) * 4;
}

/**
 * Writes a record as one line of JSON, `{"offset":..,"timestamp":..,"key":..,"value":..}`, where there is room for it
 * (`lineBound`); returns the place behind it. A value that is JSON stands in it as its producer wrote it, digit by
 * digit; only its line breaks become spaces. Any other value is in `valueBase64`, and so is a value that reads
 * `null`, which would be taken for one that is absent.
 */
export function writeLine(record: LogRecord, into: Buffer, at: number): number {
  const { value } = record;
  // What is not UTF-8 would not be read as it was.
  const isCopied = value !== null && isUtf8(value) && isCompactJson(value);
  const text = `${headOf(record)}${isCopied ? '":' : `${valueText(value)}}\n`}`;
  const end = at + into.write(text, at, 'utf8');
  if (!isCopied) return end;
  into.set(value, end);
  into[end + value.byteLength] = CLOSE_OBJECT;
  into[end + value.byteLength + 1] = NEW_LINE;
  return end + value.byteLength + 2;
}

function headOf({ offset, timestamp, key }: LogRecord): string {
  const keyJson = key === null ? 'null' : JSON.stringify(key);
  return `{"offset":${offset},"timestamp":${timestamp},"key":${keyJson},"value`;
}

/** What follows on `"value`. */
function valueText(value: Uint8Array | null): string {
  if (value === null) return '":null';
  const json = isUtf8(value) ? oneLineJson(value) : undefined;
  return json === undefined ? `Base64":"${bufferOf(value).toString('base64')}"` : `":${json}`;
}

/** The text of a value that is JSON, in one line; undefined for any other value, and for the value `null`. */
function oneLineJson(value: Uint8Array): string | undefined {
  const text = bufferOf(value).toString('utf8');
  try {
    if (JSON.parse(text) === null) return undefined;
  } catch {
    return undefined;
  }
  // Within strings JSON has no line breaks, so these are mere white space.
  return text.replaceAll('\n', ' ');
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Reads a line that `writeLine` wrote, without its end; undefined when it is not that. */
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

function jsonBytes(parsed: unknown, text: string): Uint8Array | null {
  return parsed === null ? null : Buffer.from(text);
}

function base64Bytes(parsed: unknown): Uint8Array | undefined {
  return typeof parsed === 'string' ? Buffer.from(parsed, 'base64') : undefined;
}
