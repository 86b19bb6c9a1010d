/** A project (tenant), as everything that works for it sees it. */
import type { PriceBook } from './prices/price-book.ts';
import type { ProjectRules } from './project-rules.ts';

/** How long rows of a project are kept, days, where it is not as long as those of all. */
export interface ProjectRetention {
  readonly viewsDays?: number;
  readonly viewEventsDays?: number;
  readonly playbackDays?: number;
  readonly deliveryDays?: number;
  readonly requestsDays?: number;
  readonly rejectedDays?: number;
}

/** A project without its secrets but the one that hides its viewers. */
export interface Project extends ProjectRules {
  readonly id: string;
  readonly name: string;
  /** Key of the hash that stands for a viewer id; empty when viewer ids are stored raw. */
  readonly viewerSecret: string;
  readonly rawViewerIds: boolean;
  /** What it may bring in a day of UTC; Infinity where nothing is said. */
  readonly eventsPerDayMax: number;
  readonly bytesPerDayMax: number;
  readonly retention: ProjectRetention;
  /** Its own price book; without one that of the prices file holds, if there is any. */
  readonly prices?: PriceBook;
}
