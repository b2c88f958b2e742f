import type { Assignment } from './requests.ts';

/** A member of a group and the topics that it subscribes to. */
export interface AssignableMember {
  readonly memberId: string;
  readonly topics: readonly string[];
}

/**
 * Deals the partitions of all topics out, one after the other, to those members that subscribe to the topic; a topic
 * begins where the last one ended. The same for every leader: members and topics are taken in the order of their names.
 */
export function assignPartitions(
  members: readonly AssignableMember[],
  partitionsOf: ReadonlyMap<string, number>,
): ReadonlyMap<string, Assignment> {
  const sorted = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const dealt = new Map(sorted.map(({ memberId }) => [memberId, emptyHand()]));
  let turn = 0;
  for (const [topic, partitions] of [...partitionsOf].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const takers = sorted.filter(({ topics }) => topics.includes(topic));
    if (takers.length === 0) continue;
    for (let partition = 0; partition < partitions; partition++, turn++) {
      const hand = dealt.get(takers[turn % takers.length]?.memberId ?? '');
      if (hand !== undefined) (hand[topic] ??= []).push(partition);
    }
  }
  return dealt;
}

function emptyHand(): Record<string, number[]> {
  return {};
}
