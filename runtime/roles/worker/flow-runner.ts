import type { Domain, DomainPorts, InboundFlow } from '../../domain-kit/domain.ts';
import type { Logger } from '../../logging.ts';
import type { EventLog, RecordBatch, Subscription } from '../../ports/event-log.ts';

/** A flow of one domain; all workers that serve the domain share its topic in one consumer group. */
export interface RunnableFlow {
  readonly domain: string;
  readonly flow: InboundFlow;
}

/** The flows of the domains, bound to their ports. */
export function flowsOf(
  domains: readonly Domain[],
  portsOf: (domain: Domain) => DomainPorts,
): readonly RunnableFlow[] {
  return domains.flatMap((domain) =>
    (domain.flows?.(portsOf(domain)) ?? []).map((flow) => ({ domain: domain.name, flow })),
  );
}

/**
 * Consumes a flow's topic until the subscription is closed. A batch is committed only when it has been applied; one
 * that fails is delivered again, and never skipped.
 */
export function startFlow(
  { domain, flow }: RunnableFlow,
  log: EventLog,
  logger: Logger,
): Promise<Subscription> {
  return log.subscribe({
    group: `${domain}.${flow.topic}`,
    topics: [flow.topic],
    onBatch: (batch) => applyAndCommit(flow, batch),
    onError: (error) =>
      logger.error({ err: error, domain, topic: flow.topic }, 'a flow failed; trying again'),
  });
}

async function applyAndCommit(flow: InboundFlow, batch: RecordBatch): Promise<void> {
  await flow.apply(batch.records);
  const last = batch.records.at(-1);
  if (last !== undefined) await batch.commit(last.offset + 1n);
}
