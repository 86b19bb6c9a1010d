/**
 * Devices that play video and that a browser detector takes for a phone, a tablet or a desktop, or does not know: TVs,
 * sticks, consoles, set-top boxes. The first rule that fits holds, so the particular ones come before the general.
 *
 * Guarantee: every expression is bounded in what it repeats, so time is linear in the text. A version or a model that the
 * text does not say is the empty string.
 */

export type DeviceCategory =
  | 'desktop'
  | 'phone'
  | 'tablet'
  | 'tv'
  | 'console'
  | 'set-top-box'
  | 'bot';

export interface DeviceRule {
  /** Any of these in the text, in lower case. */
  readonly marks: readonly string[];
  /** And this, where marks alone could be something else. */
  readonly only?: RegExp;
  readonly category: DeviceCategory;
  readonly system: string;
  /** Group 1 is the version of the system. */
  readonly version?: RegExp;
  /** The version by what group 1 says, where the text says it in other words. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Name of the device when the text says no model. */
  readonly name: string;
  /** Make that comes before the model. */
  readonly make?: string;
  /** Groups are make and model, or the model. */
  readonly model?: RegExp;
  /** The browser, where its name is the device's own. */
  readonly browser?: { readonly name: string; readonly version: RegExp };
}

const ANDROID_VERSION = /android[ /](\d[\d.]{0,15})/i;
const ANDROID_MODEL = /android [\d.]{1,16}; ([^;()]{1,60}?)(?: build\/|[;)])/i;

/** Amazon names Fire OS by the release of Android under it. */
const FIRE_OS_VERSION = /android[ /](\d{1,2})/i;
const FIRE_OS_VERSIONS = { 5: '5', 7: '6', 9: '7', 10: '8', 11: '8' };

/** TVs, sticks and boxes. */
const TVS: readonly DeviceRule[] = [
  {
    marks: ['vizio smartcast', 'vizios/'],
    category: 'tv',
    system: 'SmartCast',
    version: /(?:FW|ViziOS)\/(\d[\d.]{0,31})/,
    name: 'Vizio TV',
    make: 'Vizio',
    model: /(?:Model\/|VIZIO )([A-Z]\d[\w-]{2,30})/,
  },
  {
    marks: ['vidaa/'],
    category: 'tv',
    system: 'VIDAA',
    version: /VIDAA\/(\d[\d.]{0,15})/i,
    name: 'VIDAA TV',
    model: /VIDAA\/[\d.]{1,16}\(([^;()]{1,40});[^;()]{0,40};([^;()]{1,40})/i,
  },
  {
    marks: ['roku/', 'roku;', '(roku'],
    category: 'tv',
    system: 'Roku',
    version: /Roku\/DVP-(\d[\d.]{0,15})/i,
    name: 'Roku',
  },
  {
    marks: ['aft'],
    only: /[ (;]AFT[A-Z0-9]{1,12}(?: Build\/|[;)])/,
    category: 'tv',
    system: 'Fire OS',
    version: FIRE_OS_VERSION,
    versions: FIRE_OS_VERSIONS,
    name: 'Amazon Fire TV',
    make: 'Amazon',
    model: /[ (;](AFT[A-Z0-9]{1,12})(?: Build\/|[;)])/,
  },
  {
    marks: ['apple tv', 'appletv'],
    category: 'tv',
    system: 'tvOS',
    version: /(?:CPU OS |tvOS[ /]|AppleTV\d{1,2},\d{1,2}\/)(\d[\d._]{0,15})/,
    name: 'Apple TV',
  },
  {
    marks: ['tizen'],
    only: /smart-?tv|\btv\b/i,
    category: 'tv',
    system: 'Tizen',
    version: /Tizen[ /](\d[\d.]{0,15})/i,
    name: 'Samsung TV',
    make: 'Samsung',
    model: /SmartTV\d{4}:([\w-]{1,40})/,
  },
  {
    marks: ['web0s', 'webos.tv', 'webos tv', 'webos; linux/smarttv'],
    category: 'tv',
    system: 'webOS',
    version: /webOS(?: TV)?[ /](\d[\d.]{0,15})/i,
    name: 'LG TV',
    make: 'LG',
    model: /\(LGE[;,] ?([\w-]{1,40})[;,]/,
  },
  { marks: ['netcast'], category: 'tv', system: 'NetCast', name: 'LG TV' },
];

const CAST: readonly DeviceRule[] = [
  {
    marks: ['crkey'],
    only: /DeviceType\/AndroidTV|Android/,
    category: 'tv',
    system: 'Android TV',
    version: ANDROID_VERSION,
    name: 'Android TV',
    model: ANDROID_MODEL,
  },
  {
    marks: ['crkey'],
    category: 'tv',
    system: 'Cast OS',
    version: /CrKey[ /](?:armv7l )?(\d[\d.]{0,15})/,
    name: 'Google Chromecast',
  },
  {
    marks: ['android'],
    only: /android ?tv|google ?tv|smart-?tv|bravia|chromecast|mibox|mitv|shield|\bADT-\d|aquos-tv/i,
    category: 'tv',
    system: 'Android TV',
    version: ANDROID_VERSION,
    name: 'Android TV',
    model: ANDROID_MODEL,
  },
];

/** Boxes of operators. */
const BOXES: readonly DeviceRule[] = [
  {
    marks: ['sky_stb', 'sky_otf'],
    category: 'set-top-box',
    system: 'Linux',
    name: 'Sky box',
    make: 'Sky',
    model: /\(Sky, ([\w-]{1,40}),/,
  },
  {
    marks: ['wpe comcast', 'comcastappplatform', 'xfinity'],
    category: 'set-top-box',
    system: 'Linux',
    name: 'Comcast box',
    make: 'Comcast',
    model: /ComcastAppPlatform ([\w-]{1,40})/,
  },
  {
    marks: ['dt_stb'],
    category: 'set-top-box',
    system: 'Linux',
    name: 'Deutsche Telekom box',
  },
];

const CONSOLES: readonly DeviceRule[] = [
  {
    marks: ['playstation'],
    category: 'console',
    system: 'PlayStation',
    version: /PlayStation (?:\d|Vita)[ /](\d[\d.]{0,15})/i,
    name: 'Sony PlayStation',
    make: 'Sony',
    model: /(PlayStation (?:\d|Vita))/i,
  },
  {
    marks: ['xbox'],
    category: 'console',
    system: 'Xbox OS',
    name: 'Microsoft Xbox',
    make: 'Microsoft',
    model: /(Xbox (?:One|Series [XS]))/i,
  },
  {
    marks: ['nintendo'],
    category: 'console',
    system: 'Nintendo',
    name: 'Nintendo',
    make: 'Nintendo',
    model: /Nintendo ((?:Switch 2|Switch|WiiU|3DS))/i,
    browser: { name: 'Nintendo Browser', version: /NintendoBrowser\/(\d[\d.]{0,31})/ },
  },
];

/** What says no more than that it is a TV. ETSI TS 102 796 gives HbbTV's text: version (capabilities; make; model; …). */
const ANY_TV: readonly DeviceRule[] = [
  {
    marks: ['hbbtv/'],
    category: 'tv',
    system: '',
    name: 'TV',
    model: /HbbTV\/[\d.]{1,8} ?\([^;()]{0,60}; ?([^;()]{1,40}); ?([^;()]{1,40})/i,
  },
  { marks: ['smart-tv', 'smarttv', 'smart tv'], category: 'tv', system: '', name: 'TV' },
];

const TABLETS: readonly DeviceRule[] = [
  {
    marks: ['android'],
    only: /; KF[A-Z]{2,8}(?: Build\/|[;)])/,
    category: 'tablet',
    system: 'Fire OS',
    version: FIRE_OS_VERSION,
    versions: FIRE_OS_VERSIONS,
    name: 'Amazon Fire',
    make: 'Amazon',
    model: /; (KF[A-Z]{2,8})(?: Build\/|[;)])/,
  },
];

const RULES: readonly DeviceRule[] = [
  ...BOXES,
  ...CONSOLES,
  ...TVS,
  ...CAST,
  ...TABLETS,
  ...ANY_TV,
];

/** The rule of a text; undefined when a browser detector knows better. */
export function findDeviceRule(text: string): DeviceRule | undefined {
  const lower = text.toLowerCase();
  return RULES.find(
    ({ marks, only }) => marks.some((mark) => lower.includes(mark)) && (only?.test(text) ?? true),
  );
}

/** Group 1 of an expression in a text, empty when it says none. */
export function firstGroup(expression: RegExp | undefined, text: string): string {
  return expression?.exec(text)?.[1] ?? '';
}

/** Version of the system as the rule reads it. */
export function systemVersionOf({ version, versions }: DeviceRule, text: string): string {
  const said = firstGroup(version, text).replaceAll('_', '.');
  return versions === undefined ? said : (versions[said] ?? '');
}

/** Make and model, as far as the text says them. */
export function deviceNameOf({ name, make, model }: DeviceRule, text: string): string {
  const found = model?.exec(text);
  if (found === null || found === undefined) return name;
  const words = make === undefined ? found.slice(1) : [make, ...found.slice(1)];
  return words
    .map((word) => word.trim())
    .join(' ')
    .trim();
}
