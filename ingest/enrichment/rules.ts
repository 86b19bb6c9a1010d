/**
 * Applies a project's rules for dimensions to a beat.
 *
 * Guarantee: of one dimension the first rule that matches holds. Time is linear in the texts and the rules, whatever
 * stands in either; a value has at most `RULE_VALUE_LENGTH_MAX` characters.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { DimensionRule, RuleSource } from '../../platform/project-rules.ts';
import type { Entry, RequestPart } from '../../schemas/beat.ts';
import type { FormatBeat } from '../formats/format.ts';
import { cutText } from '../formats/native-values.ts';

export const RULE_VALUE_LENGTH_MAX = 128;
/** Texts that one rule looks at in one beat; those after them are like them. */
const TEXTS_MAX = 100;
const REQUEST = 'streamgauge.v1.Request';

export interface RuleResult {
  readonly dimension: string;
  readonly value: string;
  readonly override: boolean;
}

/** What the rules give a beat, at most one value for each dimension. */
export function applyRules(
  rules: readonly DimensionRule[],
  beat: FormatBeat,
  headers: IncomingHttpHeaders,
): readonly RuleResult[] {
  const results = new Map<string, RuleResult>();
  for (const { dimension, source, match, value, override } of rules) {
    if (results.has(dimension)) continue;
    const text = textsOf(source, beat, headers).find((candidate) => matches(candidate, match));
    if (text === undefined) continue;
    const given = cutText(value ?? text, RULE_VALUE_LENGTH_MAX);
    results.set(dimension, { dimension, value: given, override });
  }
  return [...results.values()];
}

function textsOf(source: RuleSource, beat: FormatBeat, headers: IncomingHttpHeaders): string[] {
  if (source.kind === 'header') {
    const value = headers[source.name];
    const text = Array.isArray(value) ? value.join(', ') : (value ?? '');
    return text === '' ? [] : [text];
  }
  if (source.kind === 'dimension') return saidOf(source.name, beat.context);
  const field = source.kind;
  const texts: string[] = [];
  for (const { parts } of beat.events) {
    for (const part of parts) {
      const text = REQUEST in part ? requestText(part[REQUEST], field) : '';
      if (text !== '') texts.push(text);
      if (texts.length === TEXTS_MAX) return texts;
    }
  }
  return texts;
}

function saidOf(name: string, context: readonly Entry[]): string[] {
  const said = context.find((entry) => entry.name === name)?.value ?? '';
  return said === '' ? [] : [said];
}

function requestText({ host, url }: RequestPart, field: 'host' | 'path'): string {
  if (field === 'host') return host;
  const authority = url.indexOf('//');
  if (authority < 0) return url;
  const slash = url.indexOf('/', authority + 2);
  return slash < 0 ? '/' : url.slice(slash);
}

/** Whether the whole text is as the pattern says; `*` stands for any characters. Never goes back in the text. */
export function matches(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let position = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, position);
    if (found < 0) return false;
    position = found + piece.length;
  }
  return text.length - last.length >= position && text.endsWith(last);
}
