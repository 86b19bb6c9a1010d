/** Numeric fields of answers and parameters. Guarantee: the description of each ends with its unit. */
import Type from 'typebox';
import type { Unit } from '../../schemas/catalogue/metric.ts';

/** `none`: a number that is no quantity, such as an id, or a place in an order. */
export type FieldUnit =
  | Unit
  | 'bytes'
  | 's since 1970'
  | 'ms since 1970'
  | 'what `meta.unit` names'
  | 'what `meta.counts` names'
  | 'what `unit` names'
  | 'none';

export const withUnit = (text: string, unit: FieldUnit): string => `${text} Unit: ${unit}.`;

export const integer = (text: string, unit: FieldUnit) =>
  Type.Integer({ description: withUnit(text, unit) });

export const number = (text: string, unit: FieldUnit) =>
  Type.Number({ description: withUnit(text, unit) });

export const integerOrNull = (text: string, unit: FieldUnit) =>
  Type.Union([integer(text, unit), Type.Null()]);

export const numberOrNull = (text: string, unit: FieldUnit) =>
  Type.Union([number(text, unit), Type.Null()]);
