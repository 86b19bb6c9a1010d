/**
 * What is wrong with the shape of a file that people write: one line for each mistake, with the place in the file.
 *
 * Guarantee: a line repeats names of fields, never a value: files hold secrets.
 */
import { nearestHint } from './nearest.ts';

/** A compiled shape; what it finds wrong is read with care, for its type says less than it gives. */
export interface ShapeValidator {
  Check(value: unknown): boolean;
  Errors(value: unknown): readonly unknown[];
}

interface ShapeError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

export interface ShapeNames {
  /** What the whole is called: `the file`. */
  readonly root: string;
  /** Names that are valid at a place, given as JSON pointer. */
  readonly fieldsAt: (pointer: string) => readonly string[];
}

/** The mistakes of a value; none when it has the shape. */
export function shapeErrors(
  validator: ShapeValidator,
  value: unknown,
  { root, fieldsAt }: ShapeNames,
): string[] {
  if (validator.Check(value)) return [];
  return (validator.Errors(value) as readonly ShapeError[])
    .filter((error) => error.keyword !== 'boolean')
    .map((error) => `${placeOf(error.instancePath, root)} ${saidWell(error, fieldsAt)}`);
}

function saidWell(error: ShapeError, fieldsAt: ShapeNames['fieldsAt']): string {
  if (error.keyword !== 'additionalProperties') return error.message;
  const { additionalProperties } = error.params as { additionalProperties: readonly string[] };
  const valid = fieldsAt(error.instancePath);
  return additionalProperties
    .map((name) => `has unknown field ${JSON.stringify(name)}${nearestHint(name, valid)}`)
    .join(', ');
}

/** A place as people write it: `projects[0].writeKeys[1]`. */
function placeOf(pointer: string, root: string): string {
  if (pointer === '') return root;
  return pointer
    .slice(1)
    .replaceAll(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.');
}
