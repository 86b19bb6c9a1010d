/** Limits of the monitoring routes, by name. Passing one is a 400 or 503 that names it, or is counted. */

export interface MonitoringLimits {
  /** Longest timeframe of one question, ms. */
  readonly frameMsMax: number;
  /** Values of a dimension at each point of a breakdown over time. */
  readonly pointValuesMax: number;
  /** Clients that follow the stream at once, of all projects. */
  readonly streamClientsMax: number;
  /** Bytes that wait for one client of the stream; a slower one is dropped. */
  readonly streamBufferBytesMax: number;
  /** Messages that a client which comes back is sent again; one that missed more gets the present state alone. */
  readonly streamReplayMax: number;
  /** Messages of one look for commits; of more, only the last state is sent. */
  readonly streamMessagesMax: number;
  /** How often commits are looked for while a client follows, ms. */
  readonly streamPollMs: number;
  /** Longest pause between looks while the store fails, ms. */
  readonly streamRetryMsMax: number;
  /** How often a comment keeps silent connections open, ms. */
  readonly streamHeartbeatMs: number;
}

export const MONITORING_LIMITS: MonitoringLimits = {
  frameMsMax: 86_400_000,
  pointValuesMax: 100,
  streamClientsMax: 200,
  streamBufferBytesMax: 262_144,
  streamReplayMax: 300,
  streamMessagesMax: 64,
  streamPollMs: 500,
  streamRetryMsMax: 10_000,
  streamHeartbeatMs: 15_000,
};
