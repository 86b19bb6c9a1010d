/** Reads CSV as RFC 4180 has it, strictly: lines end with CRLF, quotes inside quotes are doubled. */
const CELL = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;

export function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  for (let at = 0; at < text.length; ) {
    CELL.lastIndex = at;
    const cell = CELL.exec(text);
    if (cell === null) throw new Error(`no cell at ${at}`);
    line.push(cell[1]?.replaceAll('""', '"') ?? cell[2] ?? '');
    at = CELL.lastIndex;
    if (text[at] === ',') {
      at += 1;
    } else if (text.startsWith('\r\n', at)) {
      lines.push(line);
      line = [];
      at += 2;
    } else {
      throw new Error(`a cell ends badly at ${at}`);
    }
  }
  if (line.length > 0) throw new Error('the last line has no end');
  return lines;
}
