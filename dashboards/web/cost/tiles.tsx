/** The figures that the place for cost leads with. */
import type { ComponentChildren } from 'preact';
import type { CostOverall } from '../api/cost.ts';
import { bytes, figureText, type Shown, shown, text } from '../figures/format.ts';
import { moneyText, partOf, sumOf } from '../figures/money.ts';
import { momentTitle } from './bucket-times.ts';
import { crossingText, dayTitle, monthTitle, nextCrossing } from './crossings.ts';

interface Props {
  readonly answer: CostOverall | undefined;
  readonly stale: boolean;
  /** True: the forecast is of more than what is shown. */
  readonly filtered: boolean;
}

type Data = CostOverall['data'];

export function CostTiles({ answer, stale, filtered }: Props) {
  const money = (amount: string | null | undefined): string =>
    moneyText(amount, { currency: answer?.meta.currency ?? '' });
  const data = answer?.data;
  return (
    <section
      class={stale ? 'tiles cost-tiles chart-stale' : 'tiles cost-tiles'}
      aria-label="Figures of cost"
      aria-busy={answer === undefined}
    >
      <Tile name="Cost" id="cost" figure={data && money(data.cost)}>
        {data && <p>{money(data.cost_per_gigabyte)} per GB</p>}
        {data && <p>{money(data.cost_per_view)} per view</p>}
      </Tile>
      <Tile name="Per watched hour" id="hourly" figure={data && money(data.cost_per_watched_hour)}>
        {data && <p>{watchedText(data)}</p>}
        {data && <p>{figureText(data.views, 'count')} views</p>}
      </Tile>
      <Tile name="Delivered" id="bytes" figure={data && bytes(data.bytes)}>
        {data && <p>{figureText(data.requests, 'count')} requests</p>}
        {data && <p>{text(bytes(data.origin_bytes))} from the origin</p>}
      </Tile>
      <Waste data={data} money={money} />
      <Forecast data={data} money={money} filtered={filtered} />
    </section>
  );
}

interface TileProps {
  readonly name: string;
  readonly id: string;
  readonly hint?: string;
  /** Undefined before the first answer: nothing, in the place of something. */
  readonly figure: string | Shown | undefined;
  readonly children: ComponentChildren;
}

function Tile({ name, id, hint, figure = '\u00a0', children }: TileProps) {
  const { number, unit } = typeof figure === 'string' ? { number: figure, unit: '' } : figure;
  return (
    <div class="tile" title={hint}>
      <h2 class="tile-name">{name}</h2>
      <p class="tile-figure" data-figure={id}>
        {number}
        {unit !== '' && <small>{unit === '%' ? '%' : `\u00a0${unit}`}</small>}
      </p>
      <div class="tile-notes">{children}</div>
    </div>
  );
}

function watchedText({ watched_hours: hours }: Data): string {
  const { number, unit } = shown(hours, 'count');
  return `${number}${unit} h watched`;
}

interface PartProps {
  readonly data: Data | undefined;
  readonly money: (amount: string | null | undefined) => string;
}

const WASTE =
  'Delivered and never played, or played with more pixels than the player had. Bytes of which that is not known are in neither.';

function Waste({ data, money }: PartProps) {
  const waste = data?.waste;
  if (data === undefined || waste === null || waste === undefined) {
    return (
      <Tile name="Waste" id="waste" hint={WASTE} figure={data === undefined ? undefined : '–'}>
        {data && <p>not known</p>}
      </Tile>
    );
  }
  const { unplayed, oversized } = waste;
  const cost = sumOf([unplayed.cost, oversized.cost]);
  return (
    <Tile name="Waste" id="waste" hint={WASTE} figure={money(cost)}>
      <p data-figure="waste-share">{figureText(partOf(cost, data.cost), 'fraction')} of the cost</p>
      <p>
        {money(unplayed.cost)} unplayed, {money(oversized.cost)} oversized
      </p>
    </Tile>
  );
}

function Forecast({ data, money, filtered }: PartProps & { filtered: boolean }) {
  const forecast = data?.forecast;
  if (forecast === undefined) {
    return (
      <Tile name="Month's end" id="forecast" figure={undefined}>
        {'\u00a0'}
      </Tile>
    );
  }
  const next = nextCrossing(forecast.tier_crossings);
  const basis = forecast.basis.every(({ method }) => method === 'none')
    ? 'No full day has gone by: what is known is all that is expected.'
    : "Days to come are taken to be like those before; the whole project's bill, in whole months of UTC.";
  return (
    <Tile
      name={`${monthTitle(forecast.month)}, expected`}
      id="forecast"
      hint={basis}
      figure={money(forecast.cost_expected)}
    >
      <p>
        {money(forecast.cost_so_far)} by {momentTitle(Date.parse(forecast.as_of))}
        {filtered && ', whole project'}
      </p>
      {next === undefined ? (
        <p>no further tier this month</p>
      ) : (
        <p title={crossingText(next)}>
          tier {next.tier + 1} of {next.cdn} on {dayTitle(next.day)}
        </p>
      )}
    </Tile>
  );
}
