/** What can go wrong with one request to a broker, and Kafka's codes that decide what is done next. */
import { describeCode } from './kafka-library.ts';

/** Kafka's error codes that are told apart here. */
export const CODE = {
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  messageTooLarge: 10,
  coordinatorLoading: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  recordListTooLarge: 18,
  notEnoughReplicas: 19,
  illegalGeneration: 22,
  unknownMember: 25,
  rebalanceInProgress: 27,
  topicAuthorizationFailed: 29,
  clusterAuthorizationFailed: 31,
  topicExists: 36,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  offsetNotAvailable: 78,
  memberIdRequired: 79,
} as const;

/** A request that failed. */
export class KafkaError extends Error {
  /** The broker's code; undefined when no answer came. */
  readonly code: number | undefined;
  /** True when the broker may have done what it was asked: nobody knows. */
  readonly mayHaveActed: boolean;

  constructor(
    message: string,
    details: { readonly code?: number; readonly mayHaveActed: boolean; readonly cause?: unknown },
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'KafkaError';
    this.code = details.code;
    this.mayHaveActed = details.mayHaveActed;
  }
}

/** The broker answered with an error: it has not done what it was asked. */
export function refused(what: string, code: number): KafkaError {
  return new KafkaError(`${what}: ${describeCode(code)}`, { code, mayHaveActed: false });
}

/** The broker does not accept who we say we are: no other attempt will do better. */
export function isSignInRefused(error: unknown): boolean {
  const cause = error instanceof KafkaError ? error.cause : undefined;
  return cause instanceof Error && cause.name === 'KafkaJSSASLAuthenticationError';
}
