/** What holds for the limits of every log. */

interface LogLimits {
  readonly recordBytesMax: number;
  readonly queueBytesMax: number;
}

/** The limits, checked. @throws RangeError when one makes no sense. */
export function checkedLimits<Limits extends LogLimits>(limits: Limits): Limits {
  for (const [name, value] of Object.entries(limits)) {
    const least = name === 'gatherMs' ? 0 : 1;
    if (!(value >= least)) {
      throw new RangeError(`${name} is ${String(value)}: give a number from ${least}`);
    }
  }
  if (limits.queueBytesMax < limits.recordBytesMax) {
    throw new RangeError('queueBytesMax is below recordBytesMax: no large record would ever fit');
  }
  return limits;
}
