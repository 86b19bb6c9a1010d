/** A player that tells nobody: what it does is known from its truth alone. */
import type { Reports } from './reports.ts';

export class SilentReports implements Reports {
  readonly count = 0;

  state(): void {}
  rendition(): void {}
  latency(): void {}
  progress(): void {}
  request(): void {}
  error(): boolean {
    return true;
  }
  timing(): void {}
  cdn(): void {}
  fullscreen(): void {}
  ad(): void {}
  flush(): void {}
}
