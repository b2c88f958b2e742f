import { serve, type ServedOperation, type ServeOptions, serveWrite } from './domain.ts';
import { eventStateOf, eventStateReader } from './event-state.ts';
import { eventWriter, type EventWriterOptions } from './event-writer.ts';
import type { Operation } from './operation.ts';

/**
 * Serves a write that stores events: the write itself, with its discards, and the read that tells what was
 * decided about an event.
 */
export function serveEvents<Req, Res>(
  operation: Operation<Req, Res>,
  options: Omit<EventWriterOptions<Req, Res>, 'operation'>,
  limits: ServeOptions = {},
): readonly ServedOperation[] {
  const { collection, ports } = options;
  return [
    serveWrite(operation, eventWriter({ ...options, operation: operation.name }), limits),
    serve(eventStateOf(operation), eventStateReader(ports.documents, collection)),
  ];
}
