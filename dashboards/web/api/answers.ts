/** The shapes of the query API's answers that the page reads. Written by hand: only what is used. */

export interface Meta {
  readonly unit?: string;
  /** ISO 8601: figures before it are complete. Null before the first. */
  readonly complete_through?: string | null;
  readonly completeness?: number | null;
}

export interface Answer<Data, More extends object = object> {
  readonly data: Data;
  /** From and to, seconds since 1970. */
  readonly timeframe: readonly [number, number];
  readonly total_row_count: number | null;
  readonly meta: Meta & More;
}

/** Problem details (RFC 9457) with a stable code. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail?: string;
}

export interface PageFacts {
  readonly project: string;
}

export interface ViewListItem {
  readonly id: string;
  readonly live: boolean;
  readonly outcome: string;
  readonly view_start: string;
  readonly view_end: string | null;
  readonly video_id: string;
  readonly video_title: string;
  readonly stream_type: string;
  readonly country_code: string | null;
  readonly viewer_os_family: string | null;
  readonly viewer_application_name: string | null;
  readonly viewer_device_category?: string;
  readonly player_error_code: string | null;
  /** ms; absent or null while unknown. */
  readonly video_startup_time?: number | null;
  /** Share of time. */
  readonly rebuffer_percentage?: number | null;
  /** ms. */
  readonly watch_time: number | null;
}

/** One event of a view's timeline. */
export interface TimelineEvent {
  /** The log's clock, ms since 1970. */
  readonly event_time: number;
  /** The client's clock, ms since 1970. */
  readonly viewer_time: number;
  readonly name: string;
  readonly source: string;
  readonly lane: string;
  /** State of the view after it; empty before the first. */
  readonly state: string;
  readonly taken: string;
  readonly seq: number | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface ViewDetail extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly live: boolean;
  readonly outcome: string;
  readonly source: string;
  /** State now, of a live view. */
  readonly state?: string;
  readonly view_start: string;
  readonly view_end: string | null;
  readonly video_id: string;
  readonly video_title: string;
  /** What edge logs say of it; null when none names it. */
  readonly edge?: Readonly<Record<string, number | null>> | null;
  readonly events: readonly TimelineEvent[];
}

export interface EventPages {
  readonly events: {
    readonly total_row_count: number;
    readonly next_page: number | null;
  };
}
