/**
 * A user agent → the browser, the system and the device that it tells of. Pure.
 *
 * Guarantee: unknown is the empty string, never a guess: a name that is only the first word of a program is no browser,
 * and an Android that says neither phone nor tablet is neither. Time is bounded by `USER_AGENT_LENGTH_MAX`, at which a
 * text is cut, and by expressions that repeat a bounded number of times.
 */
import Bowser from 'bowser';
import { brandsOf, type ClientHints, NO_HINTS } from './client-hints.ts';
import {
  type DeviceCategory,
  type DeviceRule,
  deviceNameOf,
  findDeviceRule,
  firstGroup,
  systemVersionOf,
} from './device-rules.ts';

/** Longer texts are cut. The longest of TVs have about 350 characters. */
export const USER_AGENT_LENGTH_MAX = 512;

/** What a user agent tells, by dimension. */
export interface DeviceFacts {
  readonly browser: string;
  readonly browser_version: string;
  readonly operating_system: string;
  readonly operating_system_version: string;
  readonly viewer_device_category: DeviceCategory | '';
  readonly viewer_device_name: string;
}

/** Nothing is known. */
export const NO_FACTS: DeviceFacts = {
  browser: '',
  browser_version: '',
  operating_system: '',
  operating_system_version: '',
  viewer_device_category: '',
  viewer_device_name: '',
};

/** Reads a user agent and the hints beside it. */
export function readUserAgent(userAgent: string, hints: ClientHints = NO_HINTS): DeviceFacts {
  const text = userAgent.slice(0, USER_AGENT_LENGTH_MAX);
  if (text.trim() === '') return NO_FACTS;
  const parsed = Bowser.parse(text, { brands: brandsOf(hints.brands) });
  const rule = findDeviceRule(text);
  return rule === undefined ? fromParser(text, parsed, hints) : fromRule(text, parsed, rule);
}

type Parsed = Bowser.Parser.ParsedResult;

function fromRule(text: string, parsed: Parsed, rule: DeviceRule): DeviceFacts {
  const { browser } = rule;
  return {
    ...(browser === undefined
      ? browserOf(text, parsed)
      : { browser: browser.name, browser_version: firstGroup(browser.version, text) }),
    operating_system: rule.system,
    operating_system_version: systemVersionOf(rule, text),
    viewer_device_category: rule.category,
    viewer_device_name: deviceNameOf(rule, text),
  };
}

function fromParser(text: string, parsed: Parsed, hints: ClientHints): DeviceFacts {
  return {
    ...browserOf(text, parsed),
    ...systemOf(parsed, hints),
    viewer_device_category: categoryOf(text, parsed, hints),
    viewer_device_name: nameOf(text, parsed, hints),
  };
}

/** The parser takes the first word of anything for a browser: only those that it has a name for are. */
const BROWSERS: ReadonlySet<string> = new Set(Object.values(Bowser.BROWSER_MAP));
/** What the parser calls anything on these systems, players of apps too. */
const NO_BROWSERS: ReadonlySet<string> = new Set(['Android Browser', 'Roku']);

function browserOf(
  text: string,
  { browser }: Parsed,
): Pick<DeviceFacts, 'browser' | 'browser_version'> {
  const { name = '', version = '' } = browser;
  const isNone = NO_BROWSERS.has(name) && !/applewebkit/i.test(text);
  if (isNone || !BROWSERS.has(name)) return { browser: '', browser_version: '' };
  return { browser: name, browser_version: /^\d[\w.]*$/.test(version) ? version : '' };
}

/** Names of systems as this program says them, by the parser's and by the hints'. */
const SYSTEMS: Readonly<Record<string, string>> = { WebOS: 'webOS', 'Chromium OS': 'Chrome OS' };
/** From this major platform version a Windows is 11; 1 to 10 are 10 (Microsoft's table for client hints). */
const WINDOWS_11_FROM = 13;

function systemOf(
  { os }: Parsed,
  { platform, platformVersion }: ClientHints,
): Pick<DeviceFacts, 'operating_system' | 'operating_system_version'> {
  const hinted = platform === '' || platform === 'Unknown' ? undefined : platform;
  const name = hinted ?? os.name ?? '';
  // Windows says the version of its kernel; people know it by another.
  const said = os.name === 'Windows' ? os.versionName : os.version;
  const fromText = hinted === undefined || hinted === os.name ? (said ?? '') : '';
  return {
    operating_system: SYSTEMS[name] ?? name,
    operating_system_version: hintedVersion(hinted, platformVersion) || fromText,
  };
}

function hintedVersion(platform: string | undefined, version: string): string {
  if (platform === undefined || !/^\d[\d.]{0,31}$/.test(version)) return '';
  if (platform !== 'Windows') return version;
  const major = Number.parseInt(version, 10);
  if (major >= WINDOWS_11_FROM) return '11';
  return major >= 1 ? '10' : '';
}

const CATEGORIES: Readonly<Record<string, DeviceCategory>> = {
  bot: 'bot',
  desktop: 'desktop',
  mobile: 'phone',
  tablet: 'tablet',
  tv: 'tv',
};

function categoryOf(text: string, parsed: Parsed, hints: ClientHints): DeviceCategory | '' {
  const { os, platform } = parsed;
  const category = CATEGORIES[platform.type ?? ''] ?? '';
  if (category === 'bot') return category;
  if (hints.mobile === '?1') return 'phone';
  if (os.name === 'Chrome OS') return 'desktop';
  // Only browsers leave `Mobile` out to say tablet; players of apps never say it.
  const isBrowser = /applewebkit|gecko\//i.test(text);
  if (os.name === 'Android' && category === 'tablet' && !isBrowser) return '';
  // Small computers and what is built into others say Linux as desktops do.
  if (os.name === 'Linux' && !/x86_64|i[3-6]86|amd64/i.test(text)) return '';
  return category;
}

/** What stands in the place of a model and is none; `K` is that of the reduced user agents. */
const NO_MODELS: ReadonlySet<string> = new Set(['k', 'u', 'mobile', 'tablet', 'wv', 'tv']);
const ANDROID_MODEL =
  /android \d[\d.]{0,15}; ?(?:[a-z]{2}[-_][a-z]{2}; ?)?([^;()]{1,60}?)(?: build\/|[;)])/i;

function nameOf(text: string, { os, platform }: Parsed, { model }: ClientHints): string {
  if (model !== '') return model.trim();
  if (os.name === 'macOS') return 'Apple Mac';
  if (platform.vendor === 'Apple' && platform.model !== undefined) return `Apple ${platform.model}`;
  if (os.name !== 'Android') return '';
  const said = firstGroup(ANDROID_MODEL, text).trim();
  return NO_MODELS.has(said.toLowerCase()) ? '' : said;
}
