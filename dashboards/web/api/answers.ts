/** The shapes of the query API's answers that the page reads, as the OpenAPI document has them. */
import type { AnswerOf } from './client.ts';

type ViewAnswer = AnswerOf<'/data/v1/video-views/{id}'>;

/** What every answer says beside its data. */
export type Meta = AnswerOf<'/data/v1/video-views'>['meta'];
export type ViewListItem = AnswerOf<'/data/v1/video-views'>['data'][number];
export type ViewDetail = ViewAnswer['data'];
/** One event of a view's timeline. */
export type TimelineEvent = ViewDetail['events'][number];

export interface PageFacts {
  readonly project: string;
}
