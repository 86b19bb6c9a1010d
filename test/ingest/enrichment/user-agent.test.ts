import { describe, expect, it } from 'vitest';
import { createIngestCounters } from '../../../ingest/counters.ts';
import { clientHintsOf } from '../../../ingest/enrichment/client-hints.ts';
import {
  NO_FACTS,
  readUserAgent,
  USER_AGENT_LENGTH_MAX,
} from '../../../ingest/enrichment/user-agent.ts';
import { UserAgents } from '../../../ingest/enrichment/user-agent-cache.ts';

/** System, its version, category, name, browser, its version. */
type Row = readonly [userAgent: string, ...facts: string[]];

function rowOf(userAgent: string, headers = {}): string[] {
  const facts = readUserAgent(userAgent, clientHintsOf(headers));
  return [
    facts.operating_system,
    facts.operating_system_version,
    facts.viewer_device_category,
    facts.viewer_device_name,
    facts.browser,
    facts.browser_version,
  ];
}

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';

const TVS: readonly Row[] = [
  [
    `Mozilla/5.0 (SMART-TV; LINUX; Tizen 5.0) ${WEBKIT} Version/5.0 TV Safari/537.36`,
    ...['Tizen', '5.0', 'tv', 'Samsung TV', 'Tizen', '5.0'],
  ],
  [
    `Mozilla/5.0 (Web0S; Linux/SmartTV) ${WEBKIT} Chrome/79.0.3945.79 Safari/537.36 WebAppManager`,
    ...['webOS', '', 'tv', 'LG TV', 'WebOS Browser', ''],
  ],
  [
    'Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/538.2 (KHTML, like Gecko) Large Screen Safari/538.2 LG Browser/7.00.00(LGE; 43UF770V; 03.00.11; 1; DTV_W15U); webOS.TV-2015; LG NetCast.TV-2013 Compatible (LGE, 43UF770V, wired)',
    ...['webOS', '', 'tv', 'LG 43UF770V', 'WebOS Browser', ''],
  ],
  ['Roku/DVP-9.10 (519.10E04111A)', 'Roku', '9.10', 'tv', 'Roku', '', ''],
  ['Roku/DVP-12.5 (12.5.0.4178-88)', 'Roku', '12.5', 'tv', 'Roku', '', ''],
  [
    `Mozilla/5.0 (Linux; Android 5.1.1; AFTT Build/LVY48F; wv) ${WEBKIT} Version/4.0 Chrome/49.0.2623.10`,
    ...['Fire OS', '5', 'tv', 'Amazon AFTT', 'Chrome', '49.0.2623.10'],
  ],
  [
    'Dalvik/2.1.0 (Linux; U; Android 7.1.2; AFTMM Build/NS6271)',
    ...['Fire OS', '6', 'tv', 'Amazon AFTMM', '', ''],
  ],
  [
    `Mozilla/5.0 (Linux; Android 9; BRAVIA 4K UR2 Build/PTT1.190515.001.S52) ${WEBKIT} Chrome/77.0.3865.116 Mobile Safari/537.36`,
    ...['Android TV', '9', 'tv', 'BRAVIA 4K UR2', 'Chrome', '77.0.3865.116'],
  ],
  [
    `Mozilla/5.0 (Linux; Android 10; Chromecast Build/QTS1.200625.002) ${WEBKIT} Chrome/90.0.4430.225 Safari/537.36 CrKey/1.56.500000 DeviceType/AndroidTV`,
    ...['Android TV', '10', 'tv', 'Chromecast', 'Chrome', '90.0.4430.225'],
  ],
  [
    `Mozilla/5.0 (X11; Linux armv7l) ${WEBKIT} Chrome/90.0.4430.225 Safari/537.36 CrKey/1.56.500000 DeviceType/Chromecast`,
    ...['Cast OS', '1.56.500000', 'tv', 'Google Chromecast', 'Chrome', '90.0.4430.225'],
  ],
  [
    `Mozilla/5.0 (CrKey armv7l 1.5.16041) ${WEBKIT} Chrome/31.0.1650.0 Safari/537.36`,
    ...['Cast OS', '1.5.16041', 'tv', 'Google Chromecast', 'Chrome', '31.0.1650.0'],
  ],
  [
    'AppleCoreMedia/1.0.0.19J346 (Apple TV; U; CPU OS 15_0 like Mac OS X; en_us)',
    ...['tvOS', '15.0', 'tv', 'Apple TV', '', ''],
  ],
  ['AppleTV6,2/11.1', 'tvOS', '11.1', 'tv', 'Apple TV', '', ''],
  [
    `Mozilla/5.0 (X11; Linux armv7l) ${WEBKIT} Chrome/79.0.3945.79 Safari/537.36 CrKey/1.0.999999 VIZIO SmartCast(Conjure/MTKF-5.1.516.1 FW/2.0.11.1-2 Model/D24f-F1)`,
    ...['SmartCast', '2.0.11.1', 'tv', 'Vizio D24f-F1', 'Chrome', '79.0.3945.79'],
  ],
  [
    'VIZIO V755M-K04 ViziOS/1.4.519.868.1 WatchFree/24.07.25',
    ...['SmartCast', '1.4.519.868.1', 'tv', 'Vizio V755M-K04', '', ''],
  ],
  [
    `Mozilla/5.0 (X11; Linux armv7l) ${WEBKIT} Chrome/111.0.5563.146 Odin/111.5563.5.1 Safari/537.36 Model/VIDAA-MTK9603 VIDAA/9.0(Hisense;SmartTV;65A60LXVT;MTK9603/V0000.09.01W.P0714;UHD;65A6N;)`,
    ...['VIDAA', '9.0', 'tv', 'Hisense 65A60LXVT', 'Chrome', '111.0.5563.146'],
  ],
  [
    'HbbTV/1.2.1 (+PVR+DL;Sonic;TX-42AS650;1.40.4.003;1002.40.04.03; ) CE-HTML/1.0',
    ...['', '', 'tv', 'Sonic TX-42AS650', '', ''],
  ],
];

const CONSOLES_AND_BOXES: readonly Row[] = [
  [
    'Mozilla/5.0 (PlayStation 4 3.11) AppleWebKit/537.73 (KHTML, like Gecko)',
    ...['PlayStation', '3.11', 'console', 'Sony PlayStation 4', '', ''],
  ],
  [
    'Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15',
    ...['PlayStation', '2.26', 'console', 'Sony PlayStation 5', 'Safari', '13.0'],
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) ${WEBKIT} Chrome/58.0.3029.110 Safari/537.36 Edge/16.16299`,
    ...['Xbox OS', '', 'console', 'Microsoft Xbox One', 'Microsoft Edge', '16.16299'],
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) ${WEBKIT} Chrome/48.0.2564.82 Safari/537.36 Edge/20.02`,
    ...['Xbox OS', '', 'console', 'Microsoft Xbox Series X', 'Microsoft Edge', '20.02'],
  ],
  [
    'Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/601.6 (KHTML, like Gecko) NF/4.0.0.5.9 NintendoBrowser/5.1.0.13341',
    ...['Nintendo', '', 'console', 'Nintendo Switch', 'Nintendo Browser', '5.1.0.13341'],
  ],
  [
    `Mozilla/5.0 (X11; Linux armv7l) ${WEBKIT} QtWebEngine/5.9.7 Chrome/56.0.2924.122 Safari/537.36 Sky_STB_ST412_2018/1.0.0 (Sky, EM150UK, )`,
    ...['Linux', '', 'set-top-box', 'Sky EM150UK', 'Chrome', '56.0.2924.122'],
  ],
  [
    'Mozilla/5.0 (Linux; x86_64 GNU/Linux) AppleWebKit/601.1 (KHTML, like Gecko) Version/8.0 Safari/601.1 WPE ComcastAppPlatform AX061AEI Firebolt/0.8.1',
    ...['Linux', '', 'set-top-box', 'Comcast AX061AEI', 'Safari', '8.0'],
  ],
];

const OTHERS: readonly Row[] = [
  [
    'AppleCoreMedia/1.0.0.15E148 (iPhone; U; CPU OS 11_3 like Mac OS X; en_us)',
    ...['iOS', '11.3', 'phone', 'Apple iPhone', '', ''],
  ],
  [
    'AppleCoreMedia/1.0.0.17E255 (iPad; U; CPU OS 13_4 like Mac OS X; en_us)',
    ...['iOS', '13.4', 'tablet', 'Apple iPad', '', ''],
  ],
  [
    'AppleCoreMedia/1.0.0.19H2 (Macintosh; U; Intel Mac OS X 10_15_7; en_us)',
    ...['macOS', '10.15.7', 'desktop', 'Apple Mac', '', ''],
  ],
  [
    'ExoPlayerDemo/2.11.4 (Linux;Android 9) ExoPlayerLib/2.11.4',
    ...['Android', '9', '', '', '', ''],
  ],
  [
    `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} Chrome/124.0.0.0 Mobile Safari/537.36`,
    ...['Android', '10', 'phone', '', 'Chrome', '124.0.0.0'],
  ],
  [
    `Mozilla/5.0 (Linux; Android 8.0.0; SM-G960F Build/R16NW) ${WEBKIT} Chrome/62.0.3202.84 Mobile Safari/537.36`,
    ...['Android', '8.0.0', 'phone', 'SM-G960F', 'Chrome', '62.0.3202.84'],
  ],
  [
    `Mozilla/5.0 (Linux; Android 7.0; SM-T827R4 Build/NRD90M) ${WEBKIT} Chrome/60.0.3112.116 Safari/537.36`,
    ...['Android', '7.0', 'tablet', 'SM-T827R4', 'Chrome', '60.0.3112.116'],
  ],
  [
    `Mozilla/5.0 (Linux; Android 9; KFMAWI) ${WEBKIT} Silk/86.3.20 like Chrome/86.0.4240.198 Safari/537.36`,
    ...['Fire OS', '7', 'tablet', 'Amazon KFMAWI', 'Amazon Silk', '86.3.20'],
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51`,
    ...['Windows', '10', 'desktop', '', 'Microsoft Edge', '124.0.2478.51'],
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1',
    ...['iOS', '17.4.1', 'phone', 'Apple iPhone', 'Safari', '17.4.1'],
  ],
  [
    'Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0',
    ...['Linux', '', 'desktop', '', 'Firefox', '125.0'],
  ],
  [
    `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${WEBKIT} Chrome/124.0.0.0 Safari/537.36`,
    ...['Chrome OS', '', 'desktop', '', 'Chrome', '124.0.0.0'],
  ],
  [
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    ...['', '', 'bot', '', 'Googlebot', '2.1'],
  ],
];

describe('a user agent', () => {
  it.each(TVS)('of a TV, %s', (userAgent, ...facts) => {
    expect(rowOf(userAgent)).toEqual(facts);
  });

  it.each(CONSOLES_AND_BOXES)('of a console or a box, %s', (userAgent, ...facts) => {
    expect(rowOf(userAgent)).toEqual(facts);
  });

  it.each(OTHERS)('of something else, %s', (userAgent, ...facts) => {
    expect(rowOf(userAgent)).toEqual(facts);
  });

  it.each([
    '',
    '  ',
    'node',
    'curl/8.5.0',
    'okhttp/4.9.0',
    'MyApp/1 CFNetwork/1240.0.4 Darwin/20.6.0',
  ])('that tells nothing gives nothing: "%s"', (userAgent) => {
    expect(readUserAgent(userAgent)).toEqual(NO_FACTS);
  });
});

describe('client hints', () => {
  const windows = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/128.0.0.0 Safari/537.36`;

  it('tell what the frozen text hides: Windows 11, Brave', () => {
    const facts = rowOf(windows, {
      'sec-ch-ua': '"Chromium";v="128", "Not;A=Brand";v="24", "Brave";v="128"',
      'sec-ch-ua-mobile': '?0',
      'sec-ch-ua-platform': '"Windows"',
      'sec-ch-ua-platform-version': '"15.0.0"',
    });
    expect(facts).toEqual(['Windows', '11', 'desktop', '', 'Brave', '128']);
  });

  it('name the model and the version of an Android whose text has neither', () => {
    const facts = rowOf(
      `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} Chrome/128.0.0.0 Mobile Safari/537.36`,
      {
        'sec-ch-ua-mobile': '?1',
        'sec-ch-ua-platform': '"Android"',
        'sec-ch-ua-platform-version': '"14.0.0"',
        'sec-ch-ua-model': '"Pixel 8"',
      },
    );
    expect(facts).toEqual(['Android', '14.0.0', 'phone', 'Pixel 8', 'Chrome', '128.0.0.0']);
  });

  it('that are no hints change nothing', () => {
    const facts = rowOf(windows, {
      'sec-ch-ua': 'x'.repeat(10_000),
      'sec-ch-ua-platform': 'Windows',
      'sec-ch-ua-platform-version': '"eleven"',
      'sec-ch-ua-mobile': 'yes',
    });
    expect(facts).toEqual(rowOf(windows));
  });
});

describe('a hostile user agent', () => {
  const MEBIBYTE = 1_048_576;
  const pieces = [
    '1',
    '1.',
    '1_',
    ' ',
    '(',
    ';',
    '/',
    '"',
    'a/',
    'Android 9; ',
    'Android 1',
    'yahoo ',
    'nexus ',
    'VIDAA/1(',
    'HbbTV/1 (;',
    'Mac OS X 1_',
    'Version/1',
    'opt/1',
    'Roku/DVP-1',
    'SmartTV2020:',
    'ComcastAppPlatform ',
    '; AFT',
  ];

  it.each(pieces)('of a mebibyte of %j is cut, and read as its beginning is', (piece) => {
    const text = piece.repeat(Math.ceil(MEBIBYTE / piece.length));
    for (const start of [
      '',
      'Mozilla/5.0 (',
      'Mozilla/5.0 (Linux; Android 9; ',
      'Macintosh; Mac OS X 1',
    ]) {
      const hostile = start + text;
      expect(readUserAgent(hostile)).toEqual(
        readUserAgent(hostile.slice(0, USER_AGENT_LENGTH_MAX)),
      );
    }
  });

  it('has no fact longer than its text', () => {
    for (const piece of pieces) {
      for (const value of Object.values(readUserAgent(piece.repeat(MEBIBYTE / 16)))) {
        expect(value.length).toBeLessThanOrEqual(USER_AGENT_LENGTH_MAX);
      }
    }
  });
});

describe('user agents that are remembered', () => {
  const roku = { 'user-agent': 'Roku/DVP-9.10 (519.10E04111A)' };

  it('are read once', () => {
    const counters = createIngestCounters();
    const agents = new UserAgents(counters);
    expect(agents.factsOf(roku)).toBe(agents.factsOf({ ...roku }));
    expect(agents.factsOf({ 'user-agent': 'curl/8.5.0' })).toEqual(NO_FACTS);
    expect(agents.factsOf({})).toEqual(NO_FACTS);
    expect(counters).toMatchObject({
      userAgentLookups: 3,
      userAgentCacheMisses: 2,
      userAgentsUnknown: 1,
      userAgentsEvicted: 0,
    });
  });

  it('are told apart by their hints', () => {
    const agents = new UserAgents(createIngestCounters());
    const text = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/128.0.0.0 Safari/537.36`;
    const hinted = { 'user-agent': text, 'sec-ch-ua': '"Brave";v="128"' };
    expect(agents.factsOf({ 'user-agent': text }).browser).toBe('Chrome');
    expect(agents.factsOf(hinted).browser).toBe('Brave');
  });

  it('are forgotten beyond the limit, the one that was not used for longest first', () => {
    const counters = createIngestCounters();
    const agents = new UserAgents(counters, 2);
    const of = (userAgent: string) => agents.factsOf({ 'user-agent': userAgent });
    of('a/1');
    of('b/1');
    of('a/1');
    of('c/1');
    expect(counters).toMatchObject({ userAgentCacheMisses: 3, userAgentsEvicted: 1 });
    of('a/1');
    expect(counters.userAgentCacheMisses).toBe(3);
    of('b/1');
    expect(counters.userAgentCacheMisses).toBe(4);
  });
});
