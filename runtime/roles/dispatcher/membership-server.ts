import type { handleUnaryCall, Server } from '@grpc/grpc-js';
import {
  type JoinRequest,
  type JoinResponse,
  JoinStatus,
  MembershipServiceService,
  RejectReason,
} from '../../generated/miniplatform/membership/v1/membership.ts';
import { isCompatible, PROTOCOL_VERSION } from '../../link/protocol.ts';
import type { Logger } from '../../logging.ts';
import type { Metrics } from '../../metrics.ts';
import type { MemberDirectory } from '../../ports/membership.ts';
import type { Members } from './members.ts';

export interface MembershipServerOptions {
  readonly dispatcherId: string;
  readonly directory: MemberDirectory;
  readonly members: Members;
  /** Members with a healthy link, at most; a soft bound: two joins at the same moment may pass it. */
  readonly maxMembers: number;
  readonly isLeaving: () => boolean;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'joins'>;
}

type Answer = Pick<JoinResponse, 'status' | 'reason' | 'message'>;

/** Serves Join on a gRPC server, which the caller binds and shuts down. */
export function registerMembershipServer(server: Server, options: MembershipServerOptions): void {
  const join: handleUnaryCall<JoinRequest, JoinResponse> = (call, callback) => {
    void answer(options, call.request).then(({ status, reason, message }) => {
      const { uid } = call.request;
      options.metrics.joins.inc({ outcome: outcomeOf(status, reason) });
      if (status !== JoinStatus.JOINED)
        options.logger.warn({ member: uid, message }, 'a worker did not join');
      const { dispatcherId } = options;
      callback(null, { status, reason, message, protocolVersion: PROTOCOL_VERSION, dispatcherId });
    });
  };
  server.addService(MembershipServiceService, { join });
}

async function answer(options: MembershipServerOptions, request: JoinRequest): Promise<Answer> {
  try {
    return await decide(options, request);
  } catch (error) {
    options.logger.error({ err: error, member: request.uid }, 'a join failed');
    return {
      status: JoinStatus.RETRY,
      reason: RejectReason.UNSPECIFIED,
      message: 'the dispatcher could not tell',
    };
  }
}

async function decide(options: MembershipServerOptions, request: JoinRequest): Promise<Answer> {
  const refused = refusal(options, request);
  if (refused !== undefined) return refused;
  const { directory, members, maxMembers } = options;
  const { uid, bootId, port, token } = request;
  const admission = await directory.admit({ uid, bootId, port, token });
  if (admission.outcome === 'unauthenticated') {
    return rejected(RejectReason.UNAUTHENTICATED, admission.message);
  }
  if (admission.outcome === 'retry') {
    return { status: JoinStatus.RETRY, reason: RejectReason.UNSPECIFIED, message: admission.message };
  }
  if (members.occupied(uid) >= maxMembers) {
    return rejected(
      RejectReason.FULL,
      `${maxMembers} workers have joined, as many as spec.worker.maxMembers allows`,
    );
  }
  // The answer leaves first: the worker takes a link only when it knows that it has joined.
  setImmediate(() => members.admit(admission.member, bootId));
  return { status: JoinStatus.JOINED, reason: RejectReason.UNSPECIFIED, message: '' };
}

/** What can be told from the request alone. */
function refusal(options: MembershipServerOptions, request: JoinRequest): Answer | undefined {
  const { uid, bootId, port, protocolVersion } = request;
  if (uid === '' || bootId === '' || port < 1 || port > 65_535) {
    return rejected(RejectReason.UNAUTHENTICATED, 'uid, boot id and port must be given');
  }
  if (!isCompatible(protocolVersion)) {
    const message = `link protocol ${protocolVersion} is more than one version from ${PROTOCOL_VERSION}; upgrade the older side`;
    return rejected(RejectReason.INCOMPATIBLE_VERSION, message);
  }
  if (options.isLeaving()) return rejected(RejectReason.LEAVING, 'this dispatcher is leaving');
  if (options.members.hasLeft(bootId))
    return rejected(RejectReason.LEAVING, 'this start of the worker has left');
  return undefined;
}

function rejected(reason: RejectReason, message: string): Answer {
  return { status: JoinStatus.REJECTED, reason, message };
}

const REASONS: ReadonlyMap<number, string> = new Map(
  Object.entries(RejectReason).map(([name, value]) => [value, name.toLowerCase()]),
);

function outcomeOf(status: JoinStatus, reason: RejectReason): string {
  if (status === JoinStatus.JOINED) return 'joined';
  return status === JoinStatus.RETRY ? 'retry' : (REASONS.get(reason) ?? 'unknown');
}
